CREATE TABLE t (at timestamptz, code text);
CREATE INDEX t_at ON t USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX t_code ON t USING hash (code) WITH (fillfactor = 70);
