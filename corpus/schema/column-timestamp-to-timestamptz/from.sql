CREATE SCHEMA app;
CREATE TABLE app.t (a timestamp DEFAULT now());
