CREATE TABLE migration_log (name text, at timestamptz DEFAULT now());
INSERT INTO migration_log (name) VALUES ('001');
INSERT INTO _prisma_migrations (id) VALUES ('x');
UPDATE supabase_migrations.schema_migrations SET name = 'x' WHERE version = '1';
SELECT * FROM flyway_schema_history;
