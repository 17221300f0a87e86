CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE INDEX i ON app.t (upper(b), (a + 1));
