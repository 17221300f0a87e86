CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN d AS pair;
CREATE TYPE outer_pair AS (d d, n int);
CREATE TABLE t (id int, p d, q outer_pair);
CREATE VIEW v AS SELECT (p).a FROM t;
