CREATE TYPE status AS ENUM ('new', 'old', 'odd');
-- migration
CREATE TYPE status_new AS ENUM ('new', 'old');
ALTER TABLE users ALTER COLUMN status TYPE status_new USING status::text::status_new;
ALTER TYPE status RENAME TO status_old;
ALTER TYPE status_new RENAME TO status;
DROP TYPE status_old;
-- migration
DELETE FROM pg_enum WHERE enumlabel = 'old';
