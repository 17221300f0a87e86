-- The sixteen template questions. Running this again changes nothing.

INSERT INTO assessment_questions (section, position, question, question_type, choices, help_text, is_required)
VALUES
  (1, 1, 'What is your present or most recent position?', 'TEXT', '[]', 'Title, company, sector.', true),
  (1, 2, 'Describe the positions that mattered most to you.', 'TEXTAREA', '[]', 'Three to five; what you did; what came of it.', true),
  (1, 3, 'How many years have you worked?', 'SINGLE_CHOICE', '["0-2", "3-5", "6-10", "11-20", "more than 20"]', NULL, true),
  (2, 1, 'What is your highest degree?', 'SINGLE_CHOICE', '["none", "CAP/BEP", "Baccalauréat", "Bac+2", "Bac+3", "Bac+5", "Doctorate"]', NULL, true),
  (2, 2, 'In which field did you graduate?', 'TEXT', '[]', NULL, false),
  (2, 3, 'Which certificates do you hold; which languages do you speak?', 'TEXTAREA', '[]', 'With the level, as in B2.', false),
  (3, 1, 'Name the technical skills that you use most.', 'TEXTAREA', '[]', 'Tools; methods; software.', true),
  (3, 2, 'Which of these describe you best?', 'MULTIPLE_CHOICE', '["organized", "creative", "persistent", "sociable", "analytical", "calm"]', 'At most three.', true),
  (3, 3, 'How sure are you of your skills?', 'SCALE', '[]', '1: not at all; 5: entirely.', true),
  (4, 1, 'What gives you energy at work?', 'TEXTAREA', '[]', NULL, true),
  (4, 2, 'Which values matter to you in a company?', 'MULTIPLE_CHOICE', '["autonomy", "security", "usefulness", "pay", "learning", "team"]', NULL, true),
  (4, 3, 'Where do you see yourself in five years?', 'TEXTAREA', '[]', 'There is no wrong answer; it''s a direction, not a promise.', true),
  (4, 4, 'How ready are you to change your line of work?', 'SCALE', '[]', '1: not at all; 5: tomorrow.', true),
  (5, 1, 'How far would you travel or move?', 'SINGLE_CHOICE', '["same town", "region", "country", "abroad", "remote only"]', NULL, true),
  (5, 2, 'What limits your choice: family; health; money?', 'TEXTAREA', '[]', 'Only what you want to share.', false),
  (5, 3, 'When could you begin something new?', 'DATE', '[]', NULL, false)
ON CONFLICT (section, position) WHERE assessment_id IS NULL DO NOTHING;
