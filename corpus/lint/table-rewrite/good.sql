VACUUM users;
VACUUM (ANALYZE) users;
ALTER TABLE users SET (fillfactor = 70);
-- migration
CREATE TABLE fresh (a int);
ALTER TABLE fresh SET UNLOGGED;
