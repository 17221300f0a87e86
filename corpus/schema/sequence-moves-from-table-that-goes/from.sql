CREATE TABLE old (id bigserial PRIMARY KEY, note text);
CREATE TABLE t (id serial, c int);
CREATE TABLE u (id int, c int);
CREATE TABLE stays (id bigint);
CREATE TABLE w (id serial);
