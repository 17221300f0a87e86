CREATE SCHEMA app;
CREATE TYPE app.p AS (x int, y text); CREATE TABLE app.t (p app.p); CREATE FUNCTION app.f(app.p) RETURNS int LANGUAGE sql AS 'SELECT 1';
