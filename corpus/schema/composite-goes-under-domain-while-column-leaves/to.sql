CREATE TABLE t (id int, p text);
CREATE VIEW v AS SELECT id AS a FROM t;
