-- The same, where the table may be rewritten.
CREATE TABLE referenced (id int PRIMARY KEY, tenant_id bigint, UNIQUE (tenant_id, id));
CREATE TABLE parts (id int, referenced_id int, of_tenant bigint, FOREIGN KEY (of_tenant, referenced_id) REFERENCES referenced (tenant_id, id));
