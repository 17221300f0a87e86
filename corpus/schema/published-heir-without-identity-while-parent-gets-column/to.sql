CREATE TABLE t (id int PRIMARY KEY, c float8 DEFAULT random());
CREATE TABLE heir (own text) INHERITS (t);
CREATE PUBLICATION p FOR ALL TABLES WITH (publish = 'insert, update');
