CREATE TABLE t (c integer, d text, CHECK (c > 0));
CREATE INDEX i ON t (c, d);
