-- What a beneficiary can do: judged by themselves first, then by the consultant.

CREATE TABLE IF NOT EXISTS assessment_competencies (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  assessment_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  skill_name varchar(255) NOT NULL,
  category varchar(100) NOT NULL CHECK (category IN ('TECHNICAL', 'BEHAVIOURAL', 'LANGUAGE', 'TRANSVERSAL')),
  self_assessment_level smallint NOT NULL CHECK (self_assessment_level BETWEEN 1 AND 5),
  self_interest_level smallint CHECK (self_interest_level BETWEEN 1 AND 5),
  consultant_level smallint CHECK (consultant_level BETWEEN 1 AND 5),
  consultant_notes text,
  evidence jsonb NOT NULL DEFAULT '[]'::jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (assessment_id, skill_name)
);
COMMENT ON TABLE assessment_competencies IS
  'One skill of one assessment; the gap between the two levels is what the interview is about.';

CREATE INDEX IF NOT EXISTS assessment_competencies_category_idx
  ON assessment_competencies (assessment_id, category);

CREATE TRIGGER assessment_competencies_touch BEFORE UPDATE ON assessment_competencies
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

ALTER TABLE assessment_competencies ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_competencies_party ON assessment_competencies TO authenticated
  USING (private.is_party_to(assessment_id)) WITH CHECK (private.is_party_to(assessment_id));
