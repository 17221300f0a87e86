ALTER TABLE users DISABLE TRIGGER ALL;
-- migration
-- no-transaction
ALTER TABLE users DISABLE TRIGGER audit;
ALTER TABLE users ENABLE TRIGGER audit;
