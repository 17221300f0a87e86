CREATE TABLE customers (
  id uuid NOT NULL, name varchar(80) NOT NULL, email text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE orders (
  id bigint NOT NULL, customer_id uuid NOT NULL, status text NOT NULL, total numeric(12,2) NOT NULL,
  placed_at timestamptz NOT NULL, note text);
CREATE TABLE order_lines (
  id bigint NOT NULL, order_id bigint NOT NULL, sku varchar(40) NOT NULL, quantity integer NOT NULL,
  price numeric(12,2) NOT NULL, discount double precision);
CREATE TABLE events (
  id bigint NOT NULL, order_id bigint NOT NULL, kind text NOT NULL, at timestamptz NOT NULL,
  payload jsonb NOT NULL);
