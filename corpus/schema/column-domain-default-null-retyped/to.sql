CREATE DOMAIN d AS text[] CHECK (cardinality(VALUE) < 9);
CREATE TABLE t (id bigint, c bigint);
