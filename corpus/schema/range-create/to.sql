CREATE TYPE r AS RANGE (SUBTYPE = text, COLLATION = "C");
CREATE TABLE t (a r, b integer);
