-- When consultants can be met.

CREATE TABLE IF NOT EXISTS availability_slots (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  consultant_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  time_zone text NOT NULL DEFAULT 'Europe/Paris',
  capacity smallint NOT NULL DEFAULT 1 CHECK (capacity BETWEEN 1 AND 20),
  recurrence text,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT availability_slots_forward CHECK (ends_at > starts_at),
  CONSTRAINT availability_slots_one_day CHECK (ends_at - starts_at <= interval '12 hours')
);
CREATE INDEX IF NOT EXISTS availability_slots_consultant_idx ON availability_slots (consultant_id, starts_at);
CREATE INDEX IF NOT EXISTS availability_slots_period_idx
  ON availability_slots USING gist (tstzrange(starts_at, ends_at)) WHERE is_active;

CREATE TRIGGER availability_slots_touch BEFORE UPDATE ON availability_slots
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- An exclusion constraint would need the extension btree_gist, which not every server has.
CREATE OR REPLACE FUNCTION private.refuse_overlap() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext(NEW.consultant_id::text));
  IF NEW.is_active AND EXISTS (
    SELECT FROM availability_slots s
    WHERE s.consultant_id = NEW.consultant_id AND s.is_active AND s.id <> NEW.id
      AND tstzrange(s.starts_at, s.ends_at) && tstzrange(NEW.starts_at, NEW.ends_at)
  ) THEN
    RAISE EXCEPTION 'the consultant has another slot at that time' USING ERRCODE = 'exclusion_violation';
  END IF;
  RETURN NEW;
END;
$$;

CREATE TRIGGER availability_slots_no_overlap BEFORE INSERT OR UPDATE ON availability_slots
  FOR EACH ROW EXECUTE FUNCTION private.refuse_overlap();

ALTER TABLE availability_slots ENABLE ROW LEVEL SECURITY;
CREATE POLICY availability_slots_read ON availability_slots FOR SELECT TO authenticated USING (is_active);
CREATE POLICY availability_slots_own ON availability_slots TO authenticated
  USING (consultant_id = auth.uid()) WITH CHECK (consultant_id = auth.uid());
