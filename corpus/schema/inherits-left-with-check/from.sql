CREATE TABLE a (id bigint NOT NULL, c text);
CREATE TABLE b (id bigint NOT NULL, c text);
