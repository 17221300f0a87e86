CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE POLICY p ON app.t TO schema_reader USING (b = ANY (ARRAY['a'::varchar, 'b'::varchar]::text[]));
