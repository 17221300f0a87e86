CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
ALTER TABLE app.t ADD CONSTRAINT c CHECK (a > 0);
