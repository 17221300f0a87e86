CREATE TABLE t (a bigint, b varchar(9));
CREATE INDEX i ON t (a);
CREATE INDEX j ON t (((b)::text || 'x'::text));
ALTER TABLE t ADD CHECK (a > 0), ADD PRIMARY KEY (a);
