CREATE SCHEMA app;
CREATE TABLE app.a (x int); CREATE TABLE app.b (y int); CREATE TABLE app.c (z int) INHERITS (app.a, app.b);
