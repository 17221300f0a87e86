CREATE TYPE pair AS (a bigint, b text, d timestamptz);
CREATE TABLE t OF pair (PRIMARY KEY (a));
CREATE TABLE u OF pair (d WITH OPTIONS NOT NULL);
CREATE VIEW v AS SELECT a, b FROM t;
