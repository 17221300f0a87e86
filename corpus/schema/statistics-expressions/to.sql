CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE STATISTICS app.s ON (a % 10), lower(b) FROM app.t; CREATE STATISTICS app.n (ndistinct, mcv) ON a, b FROM app.t; ALTER STATISTICS app.n SET STATISTICS 7;
