-- Takes back 017: figures are counted again from the bookings when it returns.
DROP FUNCTION IF EXISTS refresh_session_analytics(date);
DROP TABLE IF EXISTS session_analytics;
