CREATE TYPE feeling AS ENUM ('meh', 'it''s good');
CREATE DOMAIN address AS text CHECK (VALUE LIKE '%@%') CONSTRAINT long CHECK (length(VALUE) > 3);
CREATE TYPE pair AS (a int, second address);
CREATE TABLE t (m feeling DEFAULT 'meh', x address, p pair);
CREATE FUNCTION g(feeling) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1::text;
