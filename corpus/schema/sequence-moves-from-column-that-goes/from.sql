CREATE TABLE t (id serial, c int);
CREATE TABLE u (id serial, c int);
CREATE TABLE v (id serial, c int);
CREATE TABLE w (c int);
