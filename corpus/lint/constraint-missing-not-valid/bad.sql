ALTER TABLE users ADD CONSTRAINT age_positive CHECK (age > 0);
ALTER TABLE users ADD COLUMN height int DEFAULT 1 CHECK (height > 0);
