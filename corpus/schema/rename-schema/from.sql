CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TABLE app.users (id serial PRIMARY KEY, mood app.mood DEFAULT 'good');
CREATE FUNCTION app.best(app.mood) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN $1 = 'good';
CREATE VIEW app.happy AS SELECT id FROM app.users WHERE app.best(mood);
