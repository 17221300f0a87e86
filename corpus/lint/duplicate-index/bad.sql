CREATE TABLE t (id int PRIMARY KEY, a int, b int);
CREATE INDEX one ON t (a, b);
-- migration
CREATE INDEX two ON t (a, b);
CREATE INDEX three ON t (a);
CREATE UNIQUE INDEX four ON t (id);
