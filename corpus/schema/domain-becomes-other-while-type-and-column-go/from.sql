CREATE TYPE e AS ENUM ('a', 'b');
CREATE DOMAIN d AS e;
CREATE TABLE t (id bigint, c d);
