UPDATE users SET state = 'new' WHERE id = 1;
DELETE FROM users WHERE gone;
CREATE TABLE fresh (a int);
UPDATE fresh SET a = 1;
