CREATE TABLE t (a integer, b text);
CREATE INDEX i ON t (a);
CREATE INDEX j ON t ((b || 'x'));
ALTER TABLE t ADD CHECK (a > 0), ADD PRIMARY KEY (a);
