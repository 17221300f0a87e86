CREATE TYPE mood AS ENUM ('so-so', 'it''s good');
CREATE DOMAIN mail AS text CHECK (VALUE LIKE '%@%') CONSTRAINT long CHECK (length(VALUE) > 3);
CREATE TYPE pair AS (a int, b mail);
CREATE TABLE t (m mood DEFAULT 'so-so', x mail, p pair);
CREATE FUNCTION f(mood) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1::text;
