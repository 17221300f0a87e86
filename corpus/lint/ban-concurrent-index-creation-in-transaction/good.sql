CREATE INDEX CONCURRENTLY i ON users (a);
-- migration
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY i ON users (a);
DROP INDEX CONCURRENTLY k;
-- migration
-- no-transaction
ALTER TABLE users ADD COLUMN b int;
CREATE INDEX CONCURRENTLY j ON users (b);
