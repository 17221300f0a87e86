CREATE TABLE t (id smallint PRIMARY KEY);
CREATE TABLE u (id smallserial);
