CREATE UNLOGGED TABLE t (id bigserial, c int);
CREATE TABLE u (id serial, c int);
CREATE TABLE v (id serial, c int);
