CREATE TABLE t (id bigint, c integer, r bigint) PARTITION BY LIST (c);
CREATE TABLE a0 PARTITION OF t FOR VALUES IN (2, 9);
CREATE TABLE p1 (id bigint, c integer);
CREATE TABLE p2 (id bigint, c integer, r bigint);
