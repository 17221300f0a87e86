CREATE TABLE t (a integer, g integer DEFAULT 7);
