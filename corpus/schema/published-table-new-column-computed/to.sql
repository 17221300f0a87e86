CREATE TABLE t (id integer, u uuid DEFAULT gen_random_uuid());
CREATE PUBLICATION p FOR TABLE t;
