CREATE SCHEMA app;
CREATE TYPE app.e AS ENUM ('a', 'b', 'c'); CREATE TABLE app.t (x int, y app.e); CREATE TABLE app.u (y app.e);
