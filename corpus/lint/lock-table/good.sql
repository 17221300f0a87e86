LOCK TABLE users IN ROW EXCLUSIVE MODE;
-- migration
CREATE TABLE fresh (a int);
LOCK TABLE fresh;
