-- postgres-migrations disable-transaction
-- Batches of their own
DO $$ BEGIN UPDATE users SET n = 1; COMMIT; END $$;
