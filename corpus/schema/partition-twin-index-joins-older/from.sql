CREATE TABLE m (id bigint NOT NULL, t text) PARTITION BY RANGE (id);
CREATE INDEX z ON m (lower(t));
