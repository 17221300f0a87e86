-- Takes back 015. Appointments are lost.
DROP TABLE IF EXISTS session_bookings;
DROP FUNCTION IF EXISTS private.respect_capacity();
DROP TYPE IF EXISTS booking_status;
