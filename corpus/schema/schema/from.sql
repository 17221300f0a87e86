CREATE SCHEMA a;
CREATE TABLE a.t (x integer);
