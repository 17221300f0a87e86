CREATE TYPE e AS ENUM ('a');
CREATE TYPE c AS (x e, y text);
CREATE TABLE t (id bigint, v c);
