CREATE SCHEMA app;
CREATE TABLE app.a (id integer);
CREATE TABLE app.b (own text, u uuid DEFAULT gen_random_uuid()) INHERITS (app.a);
CREATE PUBLICATION p FOR ALL TABLES;
