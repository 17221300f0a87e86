CREATE DOMAIN d AS numeric(8,2);
CREATE TABLE t (c bigint);
