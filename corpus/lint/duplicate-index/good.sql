CREATE TABLE t (id int PRIMARY KEY, a int, b int);
CREATE INDEX one ON t (a, b);
CREATE INDEX two ON t (b, a);
CREATE INDEX three ON t (a, b) WHERE b > 0;
CREATE UNIQUE INDEX four ON t (a, b);
CREATE INDEX five ON t USING hash (a);
CREATE INDEX six ON t (a DESC);
CREATE INDEX seven ON t (a) INCLUDE (id);
