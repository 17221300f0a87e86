CREATE TABLE t (a timestamp, b timestamp(3) without time zone, c timetz);
ALTER TABLE u ADD COLUMN d TIMESTAMP(3) NOT NULL;
