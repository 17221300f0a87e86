CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE RULE n AS ON UPDATE TO app.t DO ALSO NOTIFY changed;
