CREATE TABLE z (id bigint NOT NULL, c text);
CREATE TABLE a (own text) INHERITS (z);
ALTER TABLE a ADD PRIMARY KEY (id);
