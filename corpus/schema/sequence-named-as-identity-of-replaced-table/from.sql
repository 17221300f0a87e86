CREATE TABLE t (id bigserial) PARTITION BY LIST (id);
