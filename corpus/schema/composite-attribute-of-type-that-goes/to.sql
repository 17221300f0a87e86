CREATE TYPE c AS (y text);
CREATE TABLE t (id bigint, v c);
