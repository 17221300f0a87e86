CREATE TABLE old (id int, n int DEFAULT 0);
