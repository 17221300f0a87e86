-- The column is there, and nobody filled it.
ALTER TABLE vechat_conversations ADD COLUMN organisation_id integer;
ALTER TABLE vechat_messages ADD COLUMN organisation_id integer;
ALTER TABLE vechat_presence ADD COLUMN organisation_id integer;
ALTER TABLE vechat_user_settings ADD COLUMN organisation_id integer;
