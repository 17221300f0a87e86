CREATE TABLE t (a integer, b text);
CREATE MATERIALIZED VIEW m WITH (fillfactor = 50) AS SELECT a, b FROM t;
CREATE INDEX i ON m (a, b);
