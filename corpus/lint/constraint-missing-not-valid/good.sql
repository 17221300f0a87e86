ALTER TABLE users ADD CONSTRAINT age_positive CHECK (age > 0) NOT VALID;
CREATE TABLE fresh (a int);
ALTER TABLE fresh ADD CHECK (a > 0);
