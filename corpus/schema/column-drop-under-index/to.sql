CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, b text); CREATE INDEX i ON app.t (b);
