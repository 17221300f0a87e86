CREATE TABLE p (a integer NOT NULL, b text) PARTITION BY RANGE (a);
CREATE TABLE p1 (a integer NOT NULL, b text);
