CREATE TABLE a (
  id int PRIMARY KEY
  name text NOT NULL
);
INSERT INTO a VALUES (1 'x');
ALTER TABLE a ADD COLUMN b int,, ADD COLUMN c int;
CREATE TABLE last_comma (id int,);
