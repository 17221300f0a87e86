CREATE SCHEMA app;
CREATE TYPE app.p AS (x int, y int); CREATE TABLE app.t (a int, p app.p, q app.p[]);
