ALTER TYPE status ADD VALUE 'odd';
-- migration
UPDATE users SET status = 'odd' WHERE a;
-- migration
CREATE TYPE fresh AS ENUM ('a');
ALTER TYPE fresh ADD VALUE 'b';
SELECT 'b'::fresh;
