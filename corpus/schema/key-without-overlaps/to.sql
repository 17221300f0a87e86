CREATE TABLE t (id int4range, at daterange, CONSTRAINT k PRIMARY KEY (id, at WITHOUT OVERLAPS));
CREATE TABLE c (id int4range, at daterange, CONSTRAINT u UNIQUE (id, at WITHOUT OVERLAPS),
    CONSTRAINT f FOREIGN KEY (id, PERIOD at) REFERENCES t (id, PERIOD at));
