ALTER TABLE users ADD COLUMN state text;
-- migration
UPDATE users SET state = 'new' WHERE state IS NULL;
-- migration
CREATE TABLE fresh (a int);
ALTER TABLE fresh ADD COLUMN b int;
UPDATE fresh SET b = 1;
