INSERT INTO migration_log (name) VALUES ('002');
DROP TABLE IF EXISTS public.schema_migrations;
