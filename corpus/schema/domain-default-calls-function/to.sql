CREATE SCHEMA app;
CREATE FUNCTION app.v(OUT r text) RETURNS text LANGUAGE sql AS 'SELECT ''x'''; CREATE DOMAIN app.d AS text DEFAULT app.v(); CREATE TABLE app.t (a app.d);
