CREATE TABLE t (a integer, b text);
COMMENT ON TABLE t IS 'a';
COMMENT ON COLUMN t.a IS 'b';
