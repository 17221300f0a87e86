CREATE TABLE p (a bigint NOT NULL, e date DEFAULT '2020-01-01', CHECK (a > 0));
CREATE TABLE c (d text) INHERITS (p);
