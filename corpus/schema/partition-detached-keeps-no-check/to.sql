CREATE TABLE t (id bigint, c integer, CONSTRAINT other CHECK (c > 0)) PARTITION BY LIST (c);
CREATE TABLE p1 (id bigint, c integer);
