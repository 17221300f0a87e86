-- Columns of another type that cannot be exchanged beside their readers and writers.
CREATE TABLE made (id int PRIMARY KEY, tenant_id bigint, twice bigint GENERATED ALWAYS AS (tenant_id * 2) STORED);
CREATE TABLE seen (id int PRIMARY KEY, tenant_id bigint);
CREATE VIEW seen_by AS SELECT id, tenant_id FROM seen;
CREATE TABLE referenced (id int PRIMARY KEY, tenant_id bigint, UNIQUE (tenant_id, id));
CREATE TABLE parts (id int, referenced_id int, of_tenant bigint, FOREIGN KEY (of_tenant, referenced_id) REFERENCES referenced (tenant_id, id));
CREATE TABLE partitioned (id int, tenant_id bigint) PARTITION BY RANGE (id);
CREATE TABLE partitioned_1 PARTITION OF partitioned FOR VALUES FROM (0) TO (10);
CREATE INDEX ON partitioned_1 (tenant_id);
