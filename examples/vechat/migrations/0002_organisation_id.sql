-- Databases are in different states: the column may be there, and may be half filled.

ALTER TABLE vechat_conversations ADD COLUMN IF NOT EXISTS organisation_id integer;
UPDATE vechat_conversations SET organisation_id = :organisation_id WHERE organisation_id IS NULL;
ALTER TABLE vechat_conversations ALTER COLUMN organisation_id SET NOT NULL;
CREATE INDEX IF NOT EXISTS vechat_conversations_organisation_id_idx ON vechat_conversations (organisation_id);

ALTER TABLE vechat_messages ADD COLUMN IF NOT EXISTS organisation_id integer;
UPDATE vechat_messages SET organisation_id = :organisation_id WHERE organisation_id IS NULL;
ALTER TABLE vechat_messages ALTER COLUMN organisation_id SET NOT NULL;
CREATE INDEX IF NOT EXISTS vechat_messages_organisation_id_idx ON vechat_messages (organisation_id);

ALTER TABLE vechat_presence ADD COLUMN IF NOT EXISTS organisation_id integer;
UPDATE vechat_presence SET organisation_id = :organisation_id WHERE organisation_id IS NULL;
ALTER TABLE vechat_presence ALTER COLUMN organisation_id SET NOT NULL;
CREATE INDEX IF NOT EXISTS vechat_presence_organisation_id_idx ON vechat_presence (organisation_id);

ALTER TABLE vechat_user_settings ADD COLUMN IF NOT EXISTS organisation_id integer;
UPDATE vechat_user_settings SET organisation_id = :organisation_id WHERE organisation_id IS NULL;
ALTER TABLE vechat_user_settings ALTER COLUMN organisation_id SET NOT NULL;
CREATE INDEX IF NOT EXISTS vechat_user_settings_organisation_id_idx ON vechat_user_settings (organisation_id);
