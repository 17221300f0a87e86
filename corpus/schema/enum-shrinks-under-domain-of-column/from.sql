CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE DOMAIN d AS e CHECK (VALUE <> 'b');
CREATE TABLE t (id bigint, c d DEFAULT 'a', e d[]);
