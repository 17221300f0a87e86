CREATE FUNCTION ok(a integer, b integer DEFAULT 1) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT a > b';
CREATE TABLE t (a integer CONSTRAINT c CHECK (ok(a)));
