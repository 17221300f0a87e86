CREATE SCHEMA app;
CREATE TYPE app.a AS (x int); CREATE TYPE app.b AS (x int); CREATE FUNCTION app.to_b(app.a) RETURNS app.b LANGUAGE sql AS 'SELECT ROW(1)::app.b'; CREATE CAST (app.a AS app.b) WITH FUNCTION app.to_b(app.a) AS ASSIGNMENT;
