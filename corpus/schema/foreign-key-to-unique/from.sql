CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
ALTER TABLE app.t ADD UNIQUE (a); CREATE TABLE app.c (a int);
