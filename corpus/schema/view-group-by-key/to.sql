CREATE TABLE t (a integer, b text);
CREATE VIEW v AS SELECT a, min(b) AS b FROM t GROUP BY a;
