CREATE SCHEMA app;
CREATE TABLE app.t (new_name int NOT NULL);
