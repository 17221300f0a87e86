CREATE SCHEMA app;
CREATE TABLE app.t (r int4range, live boolean);
