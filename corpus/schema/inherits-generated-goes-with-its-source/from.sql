CREATE TABLE a (id bigint, c text);
CREATE TABLE b (own text) INHERITS (a);
