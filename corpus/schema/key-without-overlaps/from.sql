CREATE TABLE t (id int4range, at daterange);
CREATE TABLE c (id int4range, at daterange);
