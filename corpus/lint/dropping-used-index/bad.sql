DROP INDEX CONCURRENTLY orders_user;
-- migration
DROP INDEX CONCURRENTLY orders_at;
