CREATE TABLE t (id bigint PRIMARY KEY, level smallint);
