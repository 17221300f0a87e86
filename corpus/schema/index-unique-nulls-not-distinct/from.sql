CREATE TABLE t (a integer, b integer);
CREATE UNIQUE INDEX t_ab ON t (a, b);
