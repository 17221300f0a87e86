CREATE TABLE t (id bigint NOT NULL, c integer NOT NULL, v text) PARTITION BY LIST (c);
CREATE TABLE p1 (id bigint NOT NULL, c integer NOT NULL, v text);
CREATE INDEX i ON t (v);
ALTER TABLE t ADD PRIMARY KEY (id, c);
