ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);
ALTER TABLE users ADD COLUMN handle text UNIQUE;
ALTER TABLE rooms ADD EXCLUDE USING gist (during WITH &&);
