CREATE TABLE t (a integer, b text, c date);
CREATE VIEW v AS SELECT a, b, c FROM t;
