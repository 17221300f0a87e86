CREATE TABLE t (a integer, b integer, UNIQUE (a, b) WITH (fillfactor = 60) DEFERRABLE);
