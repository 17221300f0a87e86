CREATE TABLE t (doc jsonb);
CREATE INDEX t_doc ON t USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX t_name ON t ((doc ->> 'name') text_pattern_ops);
