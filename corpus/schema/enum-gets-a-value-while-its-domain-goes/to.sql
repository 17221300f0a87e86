CREATE SCHEMA app;
CREATE TYPE app.state AS ENUM ('between', 'new', 'open', 'done');
CREATE TABLE app.orders (id bigint, state app.state NOT NULL DEFAULT 'new');
