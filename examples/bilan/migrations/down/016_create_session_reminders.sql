-- Takes back 016. Reminders that were not sent yet are lost.
DROP TRIGGER IF EXISTS session_bookings_remind ON session_bookings;
DROP FUNCTION IF EXISTS private.schedule_reminders();
DROP TABLE IF EXISTS session_reminders;
