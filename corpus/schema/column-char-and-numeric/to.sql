CREATE SCHEMA app;
CREATE TABLE app.t (a varchar(9), n numeric(9,4));
