CREATE TABLE t (id integer NOT NULL, c int NOT NULL);
