CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE PUBLICATION p FOR TABLE app.t (id, a) WHERE (id > 5) WITH (publish = 'insert');
