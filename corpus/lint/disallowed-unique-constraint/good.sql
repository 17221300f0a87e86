ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;
CREATE TABLE fresh (a int);
ALTER TABLE fresh ADD UNIQUE (a);
