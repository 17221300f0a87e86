CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE TABLE app.parent (id bigint NOT NULL, c integer NOT NULL);
CREATE TABLE other.heir (own text) INHERITS (app.parent);
