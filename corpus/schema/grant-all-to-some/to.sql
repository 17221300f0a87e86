CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
GRANT SELECT ON app.t TO schema_reader;
