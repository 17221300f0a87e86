-- Answers, one for each question of an assessment.

CREATE TABLE IF NOT EXISTS assessment_answers (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  assessment_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  question_id uuid NOT NULL REFERENCES assessment_questions (id) ON DELETE CASCADE,
  answer_value jsonb NOT NULL,
  step_number smallint NOT NULL CHECK (step_number BETWEEN 1 AND 5),
  word_count integer GENERATED ALWAYS AS (
    CASE WHEN jsonb_typeof(answer_value) = 'string'
      THEN array_length(regexp_split_to_array(trim(answer_value #>> '{}'), '\s+'), 1)
    END
  ) STORED,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (assessment_id, question_id)
);
CREATE INDEX IF NOT EXISTS assessment_answers_question_idx ON assessment_answers (question_id);
CREATE INDEX IF NOT EXISTS assessment_answers_step_idx ON assessment_answers (assessment_id, step_number);

CREATE TRIGGER assessment_answers_touch BEFORE UPDATE ON assessment_answers
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- The answers decide how far an assessment is: the share of required questions that have one.
CREATE OR REPLACE FUNCTION private.refresh_progress() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $body$
DECLARE
  bilan uuid := coalesce(NEW.assessment_id, OLD.assessment_id);
  required integer;
  answered integer;
BEGIN
  SELECT count(*), count(a.id)
  INTO required, answered
  FROM assessment_questions q
  LEFT JOIN assessment_answers a ON a.question_id = q.id AND a.assessment_id = bilan
  WHERE q.assessment_id = bilan AND q.is_required;

  UPDATE bilans
  SET progress_percentage = CASE WHEN required = 0 THEN 0 ELSE 100 * answered / required END
  WHERE id = bilan;
  RETURN NULL; -- the row itself is not changed; AFTER triggers ignore this
END;
$body$;

CREATE TRIGGER assessment_answers_progress AFTER INSERT OR DELETE ON assessment_answers
  FOR EACH ROW EXECUTE FUNCTION private.refresh_progress();

ALTER TABLE assessment_answers ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_answers_party ON assessment_answers TO authenticated
  USING (private.is_party_to(assessment_id)) WITH CHECK (private.is_party_to(assessment_id));
