CREATE SCHEMA app;
CREATE TYPE app.a AS (x int); CREATE TYPE app.b AS (x int);
