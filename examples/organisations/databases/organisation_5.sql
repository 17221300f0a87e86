-- A script was stopped half way.
ALTER TABLE vechat_conversations ADD COLUMN organisation_id integer NOT NULL DEFAULT 5;
ALTER TABLE vechat_messages ADD COLUMN organisation_id integer;
UPDATE vechat_messages SET organisation_id = 5 WHERE id <= 1200;
