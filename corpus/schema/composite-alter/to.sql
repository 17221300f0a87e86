CREATE TYPE c AS (a bigint, d date);
COMMENT ON COLUMN c.d IS 'x';
