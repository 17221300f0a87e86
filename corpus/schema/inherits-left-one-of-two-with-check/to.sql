CREATE TABLE a (id bigint, CONSTRAINT one CHECK (id > 0), CONSTRAINT shared CHECK (id < 9));
CREATE TABLE b (id bigint, CONSTRAINT shared CHECK (id < 9));
CREATE TABLE c (own text) INHERITS (b);
