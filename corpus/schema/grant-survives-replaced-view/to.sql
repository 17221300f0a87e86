CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE VIEW app.v AS SELECT b AS a FROM app.t; GRANT SELECT ON app.v TO schema_reader; COMMENT ON VIEW app.v IS 'x';
