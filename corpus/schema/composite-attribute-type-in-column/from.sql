CREATE TYPE c AS (x integer, y text);
CREATE TABLE t (id bigint, v c, w c[]);
