CREATE TABLE z (id integer NOT NULL, c text);
CREATE TABLE a (id bigint NOT NULL, c text, PRIMARY KEY (id) INCLUDE (c));
