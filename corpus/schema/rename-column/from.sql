CREATE TABLE customers (id int PRIMARY KEY, mail text NOT NULL, age int,
  twice int GENERATED ALWAYS AS (age * 2) STORED, CONSTRAINT customers_mail_key UNIQUE (mail), CHECK (age > 0));
CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, note text);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON orders (customer_id, lower(note)) WHERE customer_id > 5;
CREATE VIEW per_customer AS SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id;
COMMENT ON COLUMN customers.mail IS 'where to write to';
