CREATE SCHEMA app;
CREATE TABLE app.t (a int, b text[] NOT NULL DEFAULT '{}', c int[][]);
