ALTER TABLE users ADD COLUMN state text;
UPDATE users SET state = 'new' WHERE state IS NULL;
