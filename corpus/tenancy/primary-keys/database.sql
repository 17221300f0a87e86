-- A primary key that means something becomes per-tenant; one on which a foreign key stands, none does.
CREATE TABLE accounts (number text PRIMARY KEY, id int UNIQUE, name text);
CREATE TABLE postings (id int PRIMARY KEY, account_id int NOT NULL REFERENCES accounts (id));
CREATE TABLE rates (day date, code text, rate numeric, CONSTRAINT "Rate of a day" PRIMARY KEY (day, code));
COMMENT ON CONSTRAINT "Rate of a day" ON rates IS 'one a day';
CREATE FUNCTION note(day date, code text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO rates (day, code) VALUES ($1, $2) ON CONFLICT (day, code) DO UPDATE SET rate = 0
$$;
INSERT INTO accounts VALUES ('a1', 1, 'x');
