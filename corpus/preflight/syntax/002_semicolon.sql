CREATE TABLE first (id int)
CREATE TABLE second (id int);
