CREATE TYPE status AS ENUM ('new', 'old');
-- migration
CREATE TYPE status_new AS ENUM ('new', 'old', 'more');
ALTER TYPE status RENAME TO status_old;
ALTER TYPE status_new RENAME TO status;
ALTER TYPE status RENAME VALUE 'old' TO 'aged';
-- migration
CREATE TYPE other AS ENUM ('a', 'b', 'c');
-- migration
CREATE TYPE other_new AS ENUM ('a', 'b', 'c', 'd');
ALTER TYPE other RENAME TO other_old;
ALTER TYPE other_new RENAME TO other;
DROP TYPE other_old;
-- migration
CREATE TYPE other_new AS ENUM ('x', 'a', 'b', 'c', 'd');
ALTER TYPE other RENAME TO other_old;
ALTER TYPE other_new RENAME TO other;
DROP TYPE other_old;
