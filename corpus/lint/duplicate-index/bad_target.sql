CREATE INDEX again ON orders (user_id);
