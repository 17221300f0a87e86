-- Somebody began: a column of another type, one without values, one that only lacks its default.
CREATE TABLE tenants (id int PRIMARY KEY);
INSERT INTO tenants VALUES (7);
CREATE TABLE wider (id int PRIMARY KEY, tenant_id bigint);
CREATE STATISTICS related (dependencies) ON tenant_id, id FROM wider;
CREATE TABLE empty (id int PRIMARY KEY, tenant_id int, name text UNIQUE);
CREATE TABLE done (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants, name text, UNIQUE (tenant_id, name));
-- A column on which much stands.
CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE "Indexed" (id int PRIMARY KEY, tenant_id bigint CHECK (tenant_id > 0), name text,
  CONSTRAINT once UNIQUE (tenant_id, name) DEFERRABLE,
  CONSTRAINT of_tenant FOREIGN KEY (tenant_id) REFERENCES tenants ON DELETE CASCADE);
INSERT INTO "Indexed" VALUES (1, 7, 'a'), (2, NULL, 'b');
CREATE INDEX ON "Indexed" (tenant_id);
CREATE UNIQUE INDEX "Odd name" ON "Indexed" ((tenant_id + 1), name) INCLUDE (tenant_id) WHERE tenant_id > 0;
COMMENT ON INDEX "Odd name" IS 'it''s kept';
COMMENT ON COLUMN "Indexed".tenant_id IS 'whose';
CREATE POLICY own ON "Indexed" AS RESTRICTIVE FOR SELECT USING (tenant_id = current_setting('app.tenant', true)::bigint);
CREATE TRIGGER moved AFTER UPDATE OF tenant_id ON "Indexed" FOR EACH ROW WHEN (OLD.tenant_id IS DISTINCT FROM NEW.tenant_id) EXECUTE FUNCTION seen();
ALTER TABLE "Indexed" ENABLE ALWAYS TRIGGER moved;
GRANT SELECT (tenant_id) ON "Indexed" TO PUBLIC;
