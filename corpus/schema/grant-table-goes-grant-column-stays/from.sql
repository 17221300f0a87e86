CREATE TABLE t (a int, b int, c int);
GRANT SELECT (a, b), UPDATE (c) ON t TO schema_reader;
GRANT SELECT, INSERT ON t TO schema_reader;
CREATE TABLE u (a int, b int);
GRANT SELECT (a), UPDATE (b) ON u TO schema_reader;
GRANT ALL ON u TO schema_reader;
