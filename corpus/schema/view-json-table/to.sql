CREATE TABLE t (a jsonb);
CREATE VIEW v AS SELECT j.* FROM t, JSON_TABLE(a, '$[*]' COLUMNS (x integer PATH '$.x', y text PATH '$.y' DEFAULT 'z' ON EMPTY)) AS j;
