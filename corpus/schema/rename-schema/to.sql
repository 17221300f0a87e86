CREATE SCHEMA core;
CREATE TYPE core.mood AS ENUM ('fine', 'bad');
CREATE TABLE core.people (key serial PRIMARY KEY, mood core.mood DEFAULT 'fine');
CREATE FUNCTION core.best(core.mood) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN $1 = 'fine';
CREATE VIEW core.happy AS SELECT key AS id FROM core.people WHERE core.best(mood);
