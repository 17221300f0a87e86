CREATE SCHEMA app;
CREATE COLLATION app.c (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false); CREATE TABLE app.t (a text);
