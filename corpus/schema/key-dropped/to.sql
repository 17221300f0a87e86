CREATE SCHEMA app;
CREATE TABLE app.t (id int NOT NULL, a int, b text);
