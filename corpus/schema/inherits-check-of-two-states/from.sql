CREATE TABLE u (a int);
CREATE TABLE v (own text) INHERITS (u);
CREATE TABLE w (own text) INHERITS (u);
