CREATE TABLE t (a integer, b text);
CREATE POLICY p ON t TO schema_reader USING (a > 1);
