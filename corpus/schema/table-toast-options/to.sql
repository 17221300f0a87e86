CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
ALTER TABLE app.t SET (fillfactor = 70, toast.autovacuum_enabled = false);
