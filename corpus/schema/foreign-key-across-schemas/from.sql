CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE SCHEMA other; CREATE TABLE other.c (t int);
