CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('new', 'open', 'done');
CREATE DOMAIN app.known AS app.state CHECK (VALUE IS NOT NULL);
CREATE TABLE app.orders (id bigint, state app.known);
