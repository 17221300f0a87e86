CREATE SCHEMA app;
CREATE TABLE app.t (a timestamptz DEFAULT now());
