CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE VIEW app.v WITH (security_invoker = true, security_barrier = true) AS SELECT id FROM app.t;
