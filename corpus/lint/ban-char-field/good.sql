CREATE TABLE t (a text, b varchar(3), c "char");
