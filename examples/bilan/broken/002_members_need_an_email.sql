-- Looks harmless and passes on an empty database. Rows that are there already break it:
-- one member has no address, and two have the same.
CREATE INDEX members_team_idx ON members (team_id);

ALTER TABLE members ALTER COLUMN email SET NOT NULL;
ALTER TABLE members ADD CONSTRAINT members_email_key UNIQUE (email);
