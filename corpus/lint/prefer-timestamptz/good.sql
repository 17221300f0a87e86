CREATE TABLE t (a timestamptz, b timestamp(3) with time zone, c time);
