CREATE TYPE pair AS (x int, y text);
CREATE TYPE mood AS ENUM ('a','b');
CREATE DOMAIN small AS smallint;
CREATE TABLE t (a pair, b mood DEFAULT 'a', c small, d mood[]);
ALTER TABLE t ALTER a SET STORAGE PLAIN;
