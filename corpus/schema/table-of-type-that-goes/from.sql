CREATE TYPE pair AS (a int, b text);
CREATE TABLE t OF pair;
INSERT INTO t VALUES (1, 'x');
