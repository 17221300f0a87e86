CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
ALTER TABLE app.t ALTER a SET (n_distinct = 100), ALTER b SET STATISTICS 500;
