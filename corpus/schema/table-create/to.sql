CREATE TABLE t (a integer PRIMARY KEY, b text UNIQUE, c integer REFERENCES t, CHECK (a > 0));
