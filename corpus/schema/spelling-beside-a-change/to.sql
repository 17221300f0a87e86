CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
ALTER TABLE app.t ADD CONSTRAINT c CHECK (btrim(b) <> ''), ALTER b SET DEFAULT 'x'::varchar, ADD g text GENERATED ALWAYS AS (btrim(b)) STORED, ADD z int; COMMENT ON CONSTRAINT c ON app.t IS 'said';
