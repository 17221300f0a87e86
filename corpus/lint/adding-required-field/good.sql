ALTER TABLE users ADD COLUMN country text NOT NULL DEFAULT 'fr';
ALTER TABLE users ADD COLUMN nick text;
ALTER TABLE users ADD COLUMN id bigserial NOT NULL;
CREATE TABLE fresh (a int);
ALTER TABLE fresh ADD COLUMN b int NOT NULL;
