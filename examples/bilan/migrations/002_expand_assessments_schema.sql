-- A bilan is taken step by step; the form remembers how far the beneficiary came.

CREATE TYPE assessment_kind AS ENUM ('CAREER', 'SKILLS', 'COMPREHENSIVE');

ALTER TABLE bilans ADD COLUMN IF NOT EXISTS title varchar(255) NOT NULL DEFAULT 'Bilan de compétences';
ALTER TABLE bilans ADD COLUMN IF NOT EXISTS description text;
ALTER TABLE bilans ADD COLUMN IF NOT EXISTS assessment_kind assessment_kind NOT NULL DEFAULT 'COMPREHENSIVE';
ALTER TABLE bilans ADD COLUMN IF NOT EXISTS current_step smallint NOT NULL DEFAULT 0
  CHECK (current_step BETWEEN 0 AND 5);
ALTER TABLE bilans ADD COLUMN IF NOT EXISTS submitted_at timestamptz;
ALTER TABLE bilans ADD COLUMN IF NOT EXISTS reviewed_by uuid REFERENCES users (id) ON DELETE SET NULL;
ALTER TABLE bilans ADD COLUMN IF NOT EXISTS reviewed_at timestamptz;

ALTER TABLE bilans ADD CONSTRAINT bilans_review_complete
  CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL) OR reviewed_at IS NOT NULL);

CREATE INDEX IF NOT EXISTS bilans_submitted_idx ON bilans (submitted_at) WHERE submitted_at IS NOT NULL;

COMMENT ON COLUMN bilans.current_step IS '0 not begun; 1 work history, 2 education, 3 skills, 4 motivation, 5 constraints.';
