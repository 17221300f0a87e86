CREATE TABLE t (a timestamptz, b numeric(10,2), c json, d bigint DEFAULT 5, e date NOT NULL);
