CREATE SCHEMA app;
CREATE FUNCTION app.ok(y text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'; CREATE DOMAIN app.d AS text CHECK (app.ok(VALUE)); CREATE TABLE app.t (a app.d);
