DROP INDEX CONCURRENTLY unknown_index;
-- migration
CREATE TABLE t (id int PRIMARY KEY, a int REFERENCES o);
CREATE INDEX i ON t (a);
CREATE INDEX j ON t (a, id);
-- migration
DROP INDEX i;
