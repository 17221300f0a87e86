CREATE SCHEMA app;
CREATE TABLE app.t (a bit(3), i interval);
