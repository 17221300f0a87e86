CREATE SCHEMA app;
CREATE TABLE app.p (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE app.c (a int, b int);
