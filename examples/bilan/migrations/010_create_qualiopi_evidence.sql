-- Evidence for an indicator: a file, a link or a note, approved by someone else than its author.

CREATE TABLE IF NOT EXISTS qualiopi_evidence (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  indicator_id smallint NOT NULL REFERENCES qualiopi_indicators (id),
  title varchar(255) NOT NULL,
  kind varchar(20) NOT NULL CHECK (kind IN ('FILE', 'LINK', 'NOTE')),
  location text,
  note text,
  uploaded_by uuid REFERENCES users (id) ON DELETE SET NULL,
  approved_by uuid REFERENCES users (id) ON DELETE SET NULL,
  approved_at timestamptz,
  valid_until date,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT qualiopi_evidence_has_content CHECK (num_nonnulls(location, note) >= 1),
  CONSTRAINT qualiopi_evidence_four_eyes CHECK (approved_by IS DISTINCT FROM uploaded_by OR approved_by IS NULL)
);
CREATE INDEX IF NOT EXISTS qualiopi_evidence_indicator_idx ON qualiopi_evidence (organization_id, indicator_id);
CREATE INDEX IF NOT EXISTS qualiopi_evidence_expiry_idx ON qualiopi_evidence (valid_until)
  WHERE valid_until IS NOT NULL;

CREATE TRIGGER qualiopi_evidence_touch BEFORE UPDATE ON qualiopi_evidence
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

ALTER TABLE qualiopi_evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY qualiopi_evidence_own ON qualiopi_evidence TO authenticated
  USING (organization_id IN (SELECT u.organization_id FROM users u WHERE u.id = auth.uid()))
  WITH CHECK (uploaded_by = auth.uid());
