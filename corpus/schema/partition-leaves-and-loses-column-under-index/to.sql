CREATE TABLE t (id bigint NOT NULL, c1 integer NOT NULL) PARTITION BY LIST (c1);
CREATE TABLE p (id bigint NOT NULL, c1 integer NOT NULL);
