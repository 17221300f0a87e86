CREATE TABLE t (a integer);
CREATE VIEW v AS SELECT a, ''::text AS b FROM t;
