CREATE TABLE t (a integer, b text);
CREATE UNIQUE INDEX i ON t USING btree (lower(b) COLLATE "C" text_pattern_ops DESC NULLS LAST) INCLUDE (a) NULLS NOT DISTINCT WITH (fillfactor = 60) WHERE a > 0;
CREATE INDEX j ON t USING hash (b);
CREATE INDEX k ON t USING brin (a) WITH (pages_per_range = 4);
