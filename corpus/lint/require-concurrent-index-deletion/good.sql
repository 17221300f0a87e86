DROP INDEX CONCURRENTLY users_email_idx;
-- migration
CREATE TABLE fresh (a int);
CREATE INDEX fresh_a_idx ON fresh (a);
DROP INDEX fresh_a_idx;
