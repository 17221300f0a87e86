CREATE TYPE e AS ENUM ('b', 'c');
CREATE TABLE t (c e);
