-- Every change of a compliance status, as an auditor wants to read it.

CREATE TABLE IF NOT EXISTS qualiopi_audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  indicator_id smallint REFERENCES qualiopi_indicators (id),
  actor_id uuid REFERENCES users (id) ON DELETE SET NULL,
  action varchar(50) NOT NULL,
  old_status qualiopi_status,
  new_status qualiopi_status,
  details jsonb NOT NULL DEFAULT '{}'::jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS qualiopi_audit_log_organization_idx
  ON qualiopi_audit_log (organization_id, created_at DESC);

CREATE OR REPLACE FUNCTION private.log_qualiopi_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO qualiopi_audit_log (organization_id, indicator_id, actor_id, action, old_status, new_status)
  VALUES (
    NEW.organization_id, NEW.indicator_id, (SELECT id FROM users WHERE id = auth.uid()), TG_OP,
    CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status
  );
  RETURN NULL;
END;
$$;

CREATE TRIGGER organization_qualiopi_status_log
  AFTER INSERT OR UPDATE OF status ON organization_qualiopi_status
  FOR EACH ROW EXECUTE FUNCTION private.log_qualiopi_change();

-- Rows are only ever added: not even the table's owner may change one by mistake.
CREATE OR REPLACE FUNCTION private.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END; $$;

CREATE TRIGGER qualiopi_audit_log_append_only BEFORE UPDATE ON qualiopi_audit_log
  FOR EACH ROW EXECUTE FUNCTION private.refuse_change();

ALTER TABLE qualiopi_audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY qualiopi_audit_log_own ON qualiopi_audit_log FOR SELECT TO authenticated
  USING (organization_id IN (SELECT u.organization_id FROM users u WHERE u.id = auth.uid()));
