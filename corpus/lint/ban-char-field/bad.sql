CREATE TABLE t (a char(2), b character(3), c bpchar);
ALTER TABLE u ADD COLUMN d char;
ALTER TABLE u ALTER e TYPE char(4);
