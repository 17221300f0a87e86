CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE VIEW app.v AS SELECT id, a FROM app.t WHERE a > 0;
