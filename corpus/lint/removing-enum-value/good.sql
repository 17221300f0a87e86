CREATE TYPE status AS ENUM ('new', 'old');
-- migration
CREATE TYPE status_new AS ENUM ('new', 'old', 'more');
ALTER TYPE status RENAME TO status_old;
ALTER TYPE status_new RENAME TO status;
ALTER TYPE status RENAME VALUE 'old' TO 'aged';
