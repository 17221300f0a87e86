CREATE TABLE t (a varchar(20));
ALTER TABLE u ADD COLUMN b character varying(9);
