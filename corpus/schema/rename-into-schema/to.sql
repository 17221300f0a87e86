CREATE SCHEMA app;
CREATE TABLE app.things (id serial PRIMARY KEY, n int);
CREATE INDEX ON app.things (n);
CREATE TABLE u (t int REFERENCES app.things);
CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1 + 1;
