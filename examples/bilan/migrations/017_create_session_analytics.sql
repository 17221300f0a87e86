-- Figures a consultant, a day; filled by a nightly job, read by the dashboards.

CREATE TABLE IF NOT EXISTS session_analytics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  consultant_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  day date NOT NULL,
  booked integer NOT NULL DEFAULT 0 CHECK (booked >= 0),
  attended integer NOT NULL DEFAULT 0 CHECK (attended >= 0),
  cancelled integer NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
  missed integer NOT NULL DEFAULT 0 CHECK (missed >= 0),
  average_rating numeric(3, 2) CHECK (average_rating BETWEEN 1 AND 5),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (consultant_id, day),
  CONSTRAINT session_analytics_sums CHECK (attended + cancelled + missed <= booked)
);
CREATE INDEX IF NOT EXISTS session_analytics_organization_idx ON session_analytics (organization_id, day);

CREATE TRIGGER session_analytics_touch BEFORE UPDATE ON session_analytics
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- Counts one day again from the bookings; may run as often as one likes.
CREATE OR REPLACE FUNCTION refresh_session_analytics(wanted_day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  refreshed integer;
BEGIN
  INSERT INTO session_analytics AS a
    (consultant_id, organization_id, day, booked, attended, cancelled, missed, average_rating)
  SELECT b.consultant_id, min(s.organization_id::text)::uuid, wanted_day,
         count(*),
         count(*) FILTER (WHERE b.status = 'ATTENDED'),
         count(*) FILTER (WHERE b.status = 'CANCELLED'),
         count(*) FILTER (WHERE b.status = 'MISSED'),
         avg(b.rating)
  FROM session_bookings b
  JOIN availability_slots s ON s.id = b.slot_id
  WHERE (s.starts_at AT TIME ZONE s.time_zone)::date = wanted_day
  GROUP BY b.consultant_id
  ON CONFLICT (consultant_id, day) DO UPDATE
  SET booked = excluded.booked, attended = excluded.attended, cancelled = excluded.cancelled,
      missed = excluded.missed, average_rating = excluded.average_rating;
  GET DIAGNOSTICS refreshed = ROW_COUNT;
  RETURN refreshed;
END;
$$;

ALTER TABLE session_analytics ENABLE ROW LEVEL SECURITY;
CREATE POLICY session_analytics_own ON session_analytics FOR SELECT TO authenticated
  USING (consultant_id = auth.uid());
