CREATE TABLE p (a int, c integer[] DEFAULT ARRAY[1, 2] NOT NULL);
CREATE TABLE h (own text) INHERITS (p);
