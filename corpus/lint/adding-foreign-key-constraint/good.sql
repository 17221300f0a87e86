ALTER TABLE orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;
ALTER TABLE orders ADD COLUMN plan_id bigint REFERENCES plans;
CREATE TABLE items (order_id bigint);
ALTER TABLE items ADD FOREIGN KEY (order_id) REFERENCES orders;
