CREATE SCHEMA app;
CREATE FUNCTION app.first(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT $1'; CREATE AGGREGATE app.first(anyelement) (SFUNC = app.first, STYPE = anyelement);
