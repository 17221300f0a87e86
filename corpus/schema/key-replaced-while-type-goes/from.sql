CREATE TYPE span AS RANGE (subtype = integer);
CREATE TABLE t (id int NOT NULL, c text, r span NOT NULL, PRIMARY KEY (id) INCLUDE (c));
