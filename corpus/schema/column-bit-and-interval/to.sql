CREATE SCHEMA app;
CREATE TABLE app.t (a bit varying(5), i interval day to second);
