CREATE TABLE t (a integer, b text);
GRANT SELECT, INSERT ON t TO schema_reader;
GRANT ALL ON t TO "schema Writer";
