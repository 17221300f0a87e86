CREATE TABLE p (id integer NOT NULL, w date);
CREATE TABLE h (own text) INHERITS (p);
