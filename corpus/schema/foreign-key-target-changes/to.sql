CREATE TABLE p (id integer PRIMARY KEY, code text UNIQUE);
CREATE TABLE q (code text PRIMARY KEY);
CREATE TABLE c (code text REFERENCES q (code));
