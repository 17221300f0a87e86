CREATE TABLE t (a integer, b text);
CREATE POLICY p ON t TO PUBLIC USING (a > 2) WITH CHECK (b <> '');
COMMENT ON POLICY p ON t IS 'x';
