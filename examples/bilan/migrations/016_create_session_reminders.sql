-- Reminders, sent by a worker that may run more than once.

CREATE TABLE IF NOT EXISTS session_reminders (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  booking_id uuid NOT NULL REFERENCES session_bookings (id) ON DELETE CASCADE,
  channel varchar(10) NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'PUSH')),
  before interval NOT NULL DEFAULT interval '24 hours',
  send_at timestamptz NOT NULL,
  sent_at timestamptz,
  attempts smallint NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 10),
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (booking_id, channel, before)
);
CREATE INDEX IF NOT EXISTS session_reminders_due_idx ON session_reminders (send_at) WHERE sent_at IS NULL;

CREATE TRIGGER session_reminders_touch BEFORE UPDATE ON session_reminders
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- A confirmed booking is reminded of a day and an hour before.
CREATE OR REPLACE FUNCTION private.schedule_reminders() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  INSERT INTO session_reminders (booking_id, channel, before, send_at)
  SELECT NEW.id, 'EMAIL', lead, s.starts_at - lead
  FROM availability_slots s, unnest(ARRAY[interval '24 hours', interval '1 hour']) AS lead
  WHERE s.id = NEW.slot_id AND s.starts_at - lead > now()
  ON CONFLICT (booking_id, channel, before) DO NOTHING;
  RETURN NULL;
END;
$$;

CREATE TRIGGER session_bookings_remind AFTER UPDATE OF status ON session_bookings
  FOR EACH ROW WHEN (NEW.status = 'CONFIRMED' AND OLD.status <> 'CONFIRMED')
  EXECUTE FUNCTION private.schedule_reminders();

-- Only the backend touches reminders: security is on, and no policy lets anybody else in.
ALTER TABLE session_reminders ENABLE ROW LEVEL SECURITY;
