ALTER TYPE mood ADD VALUE 'ok';
ALTER TYPE mood ADD VALUE 'happy';
ALTER TABLE people ALTER COLUMN m SET DEFAULT 'ok'::mood;
UPDATE people SET m = 'happy' WHERE m IS NULL;
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE people SET m = 'ok'; END $$;
