CREATE TYPE c AS (x bigint, y text COLLATE "C");
CREATE TABLE t (id bigint, v c, w c[]);
