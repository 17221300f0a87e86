CREATE TABLE t (a integer, b text);
CREATE SEQUENCE s;
ALTER TABLE t ALTER a SET DEFAULT nextval('s');
