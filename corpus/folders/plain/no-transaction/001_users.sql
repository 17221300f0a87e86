CREATE TABLE users (id bigint, n int);
-- no-transaction
