CREATE TABLE t (id bigint, c text);
CREATE INDEX i ON t (lower(c));
ALTER TABLE t CLUSTER ON i;
