CREATE TABLE t (a integer, b text, CHECK (a > 0));
CREATE INDEX i ON t (a, b);
