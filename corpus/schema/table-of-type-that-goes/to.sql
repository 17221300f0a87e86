CREATE TYPE pair2 AS (a int, b text);
CREATE TABLE t OF pair2;
CREATE TABLE p (a int);
