CREATE FUNCTION ok(w int) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT w > 0 $$;
CREATE DOMAIN d AS int CHECK (ok(VALUE));
CREATE TABLE t (id int, q d[], s d);
