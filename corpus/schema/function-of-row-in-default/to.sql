CREATE TABLE other (id int);
CREATE TABLE t (id int NOT NULL, n int);
CREATE FUNCTION first_of(one t) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT (one).id';
ALTER TABLE t ALTER n SET DEFAULT first_of(NULL);
