CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (x e DEFAULT 'b' NOT NULL, y e[], z integer);
CREATE INDEX i ON t (x) WHERE x = 'b';
CREATE VIEW v AS SELECT x FROM t WHERE x <> 'a';
CREATE FUNCTION f(e) RETURNS integer LANGUAGE sql AS 'SELECT 1';
