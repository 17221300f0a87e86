CREATE TABLE t (id int4range, at daterange) PARTITION BY LIST (id);
