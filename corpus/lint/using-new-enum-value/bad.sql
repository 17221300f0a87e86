ALTER TYPE status ADD VALUE 'odd';
UPDATE users SET status = 'odd' WHERE a;
ALTER TABLE users ALTER status SET DEFAULT 'odd'::status;
