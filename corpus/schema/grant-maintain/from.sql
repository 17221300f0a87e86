CREATE TABLE t (a integer);
GRANT SELECT ON t TO schema_reader;
