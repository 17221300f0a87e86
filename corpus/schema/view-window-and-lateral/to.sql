CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE VIEW app.v AS SELECT id, row_number() OVER (PARTITION BY a ORDER BY id) AS n, x.y FROM app.t, LATERAL (SELECT a + 1 AS y) x;
