CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
ALTER TABLE app.t ADD CONSTRAINT c CHECK (trim(b) <> ''), ALTER b SET DEFAULT 'x'::text, ADD g text GENERATED ALWAYS AS (trim(b)) STORED;
