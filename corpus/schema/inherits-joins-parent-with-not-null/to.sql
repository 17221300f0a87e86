CREATE TABLE a (id bigint, v int);
CREATE TABLE b (id bigint, v int NOT NULL);
CREATE TABLE p () INHERITS (b);
CREATE TABLE q () INHERITS (a);
