CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (x int); CREATE TABLE b.t (x int); CREATE VIEW b.v AS SELECT x.x FROM a.t x JOIN b.t y ON x.x = y.x;
