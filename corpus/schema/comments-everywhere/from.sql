CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE VIEW app.v AS SELECT id FROM app.t; CREATE INDEX i ON app.t (a);
