CREATE SCHEMA app;
CREATE TYPE app.e AS ENUM ('b', 'a'); CREATE TABLE app.t (y app.e[] DEFAULT '{b}');
