CREATE INDEX CONCURRENTLY users_email_idx ON users (email);
-- migration
CREATE TABLE fresh (a int);
CREATE INDEX fresh_a_idx ON fresh (a);
