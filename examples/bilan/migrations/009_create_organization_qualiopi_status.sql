-- Where an organization stands, indicator by indicator.

CREATE TYPE qualiopi_status AS ENUM ('NOT_STARTED', 'IN_PROGRESS', 'COMPLIANT', 'NON_COMPLIANT', 'NOT_APPLICABLE');

CREATE TABLE IF NOT EXISTS organization_qualiopi_status (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  indicator_id smallint NOT NULL REFERENCES qualiopi_indicators (id),
  status qualiopi_status NOT NULL DEFAULT 'NOT_STARTED',
  score numeric(5, 2) CHECK (score BETWEEN 0 AND 100),
  auditor_notes text,
  last_reviewed_at timestamptz,
  next_review_due date,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (organization_id, indicator_id)
);
CREATE INDEX IF NOT EXISTS organization_qualiopi_status_due_idx
  ON organization_qualiopi_status (next_review_due) WHERE status <> 'NOT_APPLICABLE';

CREATE TRIGGER organization_qualiopi_status_touch BEFORE UPDATE ON organization_qualiopi_status
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- The share of applicable indicators that are compliant, in percent.
CREATE OR REPLACE FUNCTION qualiopi_score(organization uuid) RETURNS numeric
LANGUAGE sql STABLE AS $$
  SELECT round(
    100.0 * count(*) FILTER (WHERE s.status = 'COMPLIANT')
    / nullif(count(*) FILTER (WHERE s.status IS DISTINCT FROM 'NOT_APPLICABLE'), 0), 2)
  FROM qualiopi_indicators i
  LEFT JOIN organization_qualiopi_status s
    ON s.indicator_id = i.id AND s.organization_id = organization
  WHERE i.applies_to_bilans;
$$;

-- A compliant organization is marked as certified; one that no longer is loses the mark.
CREATE OR REPLACE FUNCTION private.refresh_certification() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  UPDATE organizations o
  SET qualiopi_certified = coalesce(qualiopi_score(o.id), 0) >= 100
  WHERE o.id = NEW.organization_id
    AND o.qualiopi_certified IS DISTINCT FROM (coalesce(qualiopi_score(o.id), 0) >= 100);
  RETURN NULL;
END;
$$;

CREATE TRIGGER organization_qualiopi_status_certify
  AFTER INSERT OR UPDATE OF status ON organization_qualiopi_status
  FOR EACH ROW EXECUTE FUNCTION private.refresh_certification();

ALTER TABLE organization_qualiopi_status ENABLE ROW LEVEL SECURITY;
CREATE POLICY organization_qualiopi_status_own ON organization_qualiopi_status FOR SELECT TO authenticated
  USING (organization_id IN (SELECT u.organization_id FROM users u WHERE u.id = auth.uid()));
