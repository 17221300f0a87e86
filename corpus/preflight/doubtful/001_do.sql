DO $$ BEGIN EXECUTE 'CREATE TABLE made_here (id int)'; END $$;
ALTER TABLE made_here ADD COLUMN a int;
