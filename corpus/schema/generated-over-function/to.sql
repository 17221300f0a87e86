CREATE FUNCTION joined(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT a || '-' || b $$;
CREATE TABLE t (a text, b text, c text GENERATED ALWAYS AS (joined(a, b)) STORED);
CREATE UNIQUE INDEX t_c ON t (c);
