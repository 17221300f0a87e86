CREATE SCHEMA app;
CREATE TABLE app.t (old_name int NOT NULL);
