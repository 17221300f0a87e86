CREATE DOMAIN d AS text[];
CREATE TYPE e AS ENUM ('y', 'x');
CREATE TABLE t (id int, c d, e e) PARTITION BY LIST (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
CREATE TABLE t2 (id int, c d, e e, g text);
CREATE TABLE p (id int, c d);
CREATE TABLE q (n int) INHERITS (p);
CREATE VIEW v AS SELECT e FROM t;
