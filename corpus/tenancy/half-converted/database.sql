-- Somebody began: a column of another type, one without values, one that only lacks its default.
CREATE TABLE tenants (id int PRIMARY KEY);
INSERT INTO tenants VALUES (7);
CREATE TABLE wider (id int PRIMARY KEY, tenant_id bigint);
CREATE TABLE empty (id int PRIMARY KEY, tenant_id int, name text UNIQUE);
CREATE TABLE done (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, name text, UNIQUE (tenant_id, name));
CREATE TABLE "Indexed" (id int PRIMARY KEY, tenant_id bigint);
CREATE INDEX ON "Indexed" (tenant_id);
