CREATE DOMAIN d AS int;
CREATE TYPE pair AS (a d, b text);
CREATE TABLE t (id int, p pair);
