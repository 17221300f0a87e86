CREATE TABLE t (a integer, b text);
GRANT SELECT ON t TO schema_reader WITH GRANT OPTION;
GRANT UPDATE ON t TO PUBLIC;
GRANT SELECT ON t TO "schema Writer";
