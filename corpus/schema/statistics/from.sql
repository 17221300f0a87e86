CREATE TABLE t (a integer, b text);
CREATE STATISTICS s (mcv) ON a, b FROM t;
