CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, age int,
  twice int GENERATED ALWAYS AS (age * 2) STORED, CONSTRAINT customers_email_key UNIQUE (email), CHECK (age > 0));
CREATE TABLE orders (id int PRIMARY KEY, client_id int NOT NULL REFERENCES customers, note text);
CREATE INDEX ON orders (client_id);
CREATE INDEX ON orders (client_id, lower(note)) WHERE client_id > 5;
CREATE VIEW per_customer AS SELECT client_id AS customer_id, count(*) AS orders FROM orders GROUP BY client_id;
COMMENT ON COLUMN customers.email IS 'where to write to';
