CREATE SCHEMA app;
CREATE TABLE app.t (a char(3), n numeric(5,2));
