-- Questions. Those without an assessment are templates, copied into each new one.

CREATE TYPE question_type AS ENUM ('TEXT', 'TEXTAREA', 'SINGLE_CHOICE', 'MULTIPLE_CHOICE', 'SCALE', 'DATE');

CREATE TABLE IF NOT EXISTS assessment_questions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  assessment_id uuid REFERENCES bilans (id) ON DELETE CASCADE,
  section smallint NOT NULL CHECK (section BETWEEN 1 AND 5),
  position smallint NOT NULL CHECK (position > 0),
  question text NOT NULL,
  question_type question_type NOT NULL,
  choices jsonb NOT NULL DEFAULT '[]'::jsonb,
  help_text text,
  is_required boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT assessment_questions_choices_given CHECK (
    question_type NOT IN ('SINGLE_CHOICE', 'MULTIPLE_CHOICE') OR jsonb_array_length(choices) >= 2
  )
);

-- NULL is not equal to NULL, so templates need an index of their own to be unique by place.
CREATE UNIQUE INDEX IF NOT EXISTS assessment_questions_template_key
  ON assessment_questions (section, position) WHERE assessment_id IS NULL;
CREATE UNIQUE INDEX IF NOT EXISTS assessment_questions_place_key
  ON assessment_questions (assessment_id, section, position) WHERE assessment_id IS NOT NULL;

CREATE TRIGGER assessment_questions_touch BEFORE UPDATE ON assessment_questions
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

ALTER TABLE assessment_questions ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_questions_read ON assessment_questions FOR SELECT TO authenticated
  USING (assessment_id IS NULL OR private.is_party_to(assessment_id));
