CREATE TABLE a (x int);
CREATE TABLE b (x int);
-- migration
ALTER TABLE a ADD COLUMN y int;
-- migration
ALTER TABLE b ADD COLUMN y int;
-- migration
ALTER TABLE a ADD COLUMN z int;
CREATE TABLE c (x int);
ALTER TABLE c ADD COLUMN z int;
