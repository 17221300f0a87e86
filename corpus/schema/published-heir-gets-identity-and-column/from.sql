CREATE TABLE a (id integer);
CREATE TABLE b (own text) INHERITS (a);
