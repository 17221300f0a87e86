CREATE TABLE t (id bigserial, c int) PARTITION BY LIST (c);
CREATE TABLE u (id serial, c int) PARTITION BY LIST (c);
CREATE SEQUENCE v_id_seq AS integer;
