CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1';CREATE TABLE t (a integer, b text);
CREATE INDEX i ON t (f(a));
