CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a bigint, b text);
CREATE VIEW app.v1 AS SELECT id, a FROM app.t; CREATE VIEW app.v2 AS SELECT a FROM app.v1; CREATE VIEW app.v3 AS SELECT a FROM app.v2;
