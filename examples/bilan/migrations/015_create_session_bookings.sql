-- Appointments: a beneficiary takes a place in a slot.

CREATE TYPE booking_status AS ENUM ('REQUESTED', 'CONFIRMED', 'CANCELLED', 'ATTENDED', 'MISSED');

CREATE TABLE IF NOT EXISTS session_bookings (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slot_id uuid NOT NULL REFERENCES availability_slots (id) ON DELETE CASCADE,
  bilan_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  beneficiary_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  consultant_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  status booking_status NOT NULL DEFAULT 'REQUESTED',
  format varchar(20) NOT NULL DEFAULT 'VIDEO' CHECK (format IN ('VIDEO', 'PHONE', 'ON_SITE')),
  cancellation_reason text,
  attended_at timestamptz,
  rating smallint CHECK (rating BETWEEN 1 AND 5),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT session_bookings_reason_given CHECK (status <> 'CANCELLED' OR cancellation_reason IS NOT NULL)
);
CREATE UNIQUE INDEX IF NOT EXISTS session_bookings_once_key
  ON session_bookings (slot_id, beneficiary_id) WHERE status <> 'CANCELLED';
CREATE INDEX IF NOT EXISTS session_bookings_bilan_idx ON session_bookings (bilan_id);
CREATE INDEX IF NOT EXISTS session_bookings_consultant_idx ON session_bookings (consultant_id, status);

CREATE TRIGGER session_bookings_touch BEFORE UPDATE ON session_bookings
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- No more bookings than the slot has places; the slot's row is the lock.
CREATE OR REPLACE FUNCTION private.respect_capacity() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  places smallint;
  taken integer;
BEGIN
  SELECT capacity INTO places FROM availability_slots WHERE id = NEW.slot_id FOR UPDATE;
  SELECT count(*) INTO taken FROM session_bookings
  WHERE slot_id = NEW.slot_id AND status <> 'CANCELLED' AND id <> NEW.id;
  IF NEW.status <> 'CANCELLED' AND taken >= places THEN
    RAISE EXCEPTION 'the slot is full' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END;
$$;

CREATE TRIGGER session_bookings_capacity BEFORE INSERT OR UPDATE OF slot_id, status ON session_bookings
  FOR EACH ROW EXECUTE FUNCTION private.respect_capacity();

ALTER TABLE session_bookings ENABLE ROW LEVEL SECURITY;
CREATE POLICY session_bookings_party ON session_bookings FOR SELECT TO authenticated
  USING (auth.uid() IN (beneficiary_id, consultant_id));
CREATE POLICY session_bookings_request ON session_bookings FOR INSERT TO authenticated
  WITH CHECK (beneficiary_id = auth.uid());
