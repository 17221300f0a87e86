CREATE SCHEMA app;
CREATE FUNCTION app.starts(x text, y text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT starts_with(x, y)'; CREATE DOMAIN app.id AS text CHECK (app.starts(VALUE, 'u')); CREATE FUNCTION app.norm(x app.id) RETURNS text LANGUAGE sql AS 'SELECT lower(x)';
