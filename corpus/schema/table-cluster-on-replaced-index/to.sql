CREATE TABLE t (id bigint, c text);
CREATE INDEX i ON t (c);
ALTER TABLE t CLUSTER ON i;
