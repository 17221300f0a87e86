CREATE TABLE t (a integer, b text);
COMMENT ON TABLE t IS E'it''s \\ new\nline';
COMMENT ON COLUMN t.b IS 'c';
