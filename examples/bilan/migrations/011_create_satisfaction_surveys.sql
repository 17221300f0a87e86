-- Surveys, sent at the end of a bilan and once more six months later, and what came back.

CREATE TYPE survey_status AS ENUM ('SCHEDULED', 'SENT', 'COMPLETED', 'EXPIRED');

CREATE TABLE IF NOT EXISTS satisfaction_surveys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bilan_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  beneficiary_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  occasion varchar(20) NOT NULL DEFAULT 'END' CHECK (occasion IN ('END', 'SIX_MONTHS')),
  status survey_status NOT NULL DEFAULT 'SCHEDULED',
  send_after timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz,
  completed_at timestamptz,
  token text NOT NULL UNIQUE DEFAULT replace(gen_random_uuid()::text, '-', ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (bilan_id, occasion)
);
CREATE INDEX IF NOT EXISTS satisfaction_surveys_due_idx ON satisfaction_surveys (send_after)
  WHERE status = 'SCHEDULED';

CREATE TABLE IF NOT EXISTS survey_responses (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  survey_id uuid NOT NULL REFERENCES satisfaction_surveys (id) ON DELETE CASCADE,
  question_code varchar(50) NOT NULL,
  rating smallint CHECK (rating BETWEEN 1 AND 10),
  comment text,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (survey_id, question_code),
  CONSTRAINT survey_responses_not_empty CHECK (num_nonnulls(rating, comment) > 0)
);
CREATE INDEX IF NOT EXISTS survey_responses_question_idx ON survey_responses (question_code, rating);

CREATE TRIGGER satisfaction_surveys_touch BEFORE UPDATE ON satisfaction_surveys
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- The first answer completes the survey.
CREATE OR REPLACE FUNCTION private.complete_survey() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  UPDATE satisfaction_surveys
  SET status = 'COMPLETED', completed_at = coalesce(completed_at, now())
  WHERE id = NEW.survey_id AND status <> 'COMPLETED';
  RETURN NULL;
END;
$$;

CREATE TRIGGER survey_responses_complete AFTER INSERT ON survey_responses
  FOR EACH ROW EXECUTE FUNCTION private.complete_survey();

-- Net promoter score of an organization: promoters (9, 10) less detractors (1 to 6), in percent.
CREATE OR REPLACE VIEW organization_nps AS
SELECT b.organization_id,
       count(*) AS answers,
       round(100.0 * (count(*) FILTER (WHERE r.rating >= 9) - count(*) FILTER (WHERE r.rating <= 6)) / count(*), 1)
         AS nps
FROM survey_responses r
JOIN satisfaction_surveys s ON s.id = r.survey_id
JOIN bilans b ON b.id = s.bilan_id
WHERE r.question_code = 'recommend' AND r.rating IS NOT NULL
GROUP BY b.organization_id;

ALTER TABLE satisfaction_surveys ENABLE ROW LEVEL SECURITY;
ALTER TABLE survey_responses ENABLE ROW LEVEL SECURITY;
CREATE POLICY satisfaction_surveys_own ON satisfaction_surveys FOR SELECT TO authenticated
  USING (beneficiary_id = auth.uid());
CREATE POLICY survey_responses_give ON survey_responses FOR INSERT TO authenticated
  WITH CHECK (EXISTS (
    SELECT FROM satisfaction_surveys s
    WHERE s.id = survey_id AND s.beneficiary_id = auth.uid() AND s.status = 'SENT'
  ));
