CREATE TYPE e AS ENUM ('b', 'd');
CREATE TABLE t (x e DEFAULT 'b');
