CREATE TABLE t (a integer, b text);
CREATE SEQUENCE s OWNED BY t.a;
