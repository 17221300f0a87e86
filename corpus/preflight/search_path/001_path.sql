CREATE SCHEMA app;
SET search_path = app;
CREATE TABLE t (id int);
ALTER TABLE elsewhere ADD COLUMN a int;
ALTER TABLE app.nothing ADD COLUMN a int;
