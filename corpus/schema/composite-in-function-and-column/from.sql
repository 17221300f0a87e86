CREATE SCHEMA app;
CREATE TYPE app.p AS (x int); CREATE TABLE app.t (p app.p);
