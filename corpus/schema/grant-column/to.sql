CREATE TABLE t (a integer, b text);
GRANT SELECT (b), UPDATE (a) ON t TO schema_reader;
