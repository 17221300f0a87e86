CREATE TABLE IF NOT EXISTS users (
  id int4 PRIMARY KEY,
  full_name character varying (255),
  email text,
  phone text,
  "Country" text,
  "when" timestamptz
);
CREATE TABLE IF NOT EXISTS public.users (id bigserial, kind text);
CREATE TABLE IF NOT EXISTS users (id int, email text);
