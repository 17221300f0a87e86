CREATE SCHEMA app;
CREATE TABLE app.a (id integer);
CREATE TABLE app.b (own text) INHERITS (app.a);
