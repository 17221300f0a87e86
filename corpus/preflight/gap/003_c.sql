CREATE TABLE c (id int REFERENCES b (id));
