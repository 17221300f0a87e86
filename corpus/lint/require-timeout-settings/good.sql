SET LOCAL lock_timeout = '5s';
ALTER TABLE users ADD COLUMN a int;
-- migration
CREATE TABLE fresh (a int);
ALTER TABLE fresh ADD COLUMN b int;
