CREATE TYPE e AS ENUM ('z', 'a');
CREATE DOMAIN d AS e CHECK (VALUE <> 'z');
CREATE TABLE t (id bigint, c d DEFAULT 'a', e d[]);
