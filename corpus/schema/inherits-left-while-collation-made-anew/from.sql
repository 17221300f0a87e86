CREATE COLLATION coll (locale = 'C');
CREATE TABLE a (id int, c text COLLATE coll);
CREATE TABLE b (own text) INHERITS (a);
