-- Somebody began by hand, with another type.
ALTER TABLE vechat_conversations ADD COLUMN organisation_id bigint;
UPDATE vechat_conversations SET organisation_id = 3 WHERE id % 3 = 0;
