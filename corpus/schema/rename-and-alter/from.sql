CREATE TABLE customers (id int PRIMARY KEY, mail varchar(40), joined date, gone int);
INSERT INTO customers SELECT i, i || '@example.org', '2024-01-01', i FROM generate_series(1, 100) i;
CREATE VIEW mails AS SELECT mail FROM customers;
