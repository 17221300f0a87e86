-- Takes back 014. Consultants' calendars are lost.
DROP TABLE IF EXISTS availability_slots;
DROP FUNCTION IF EXISTS private.refuse_overlap();
