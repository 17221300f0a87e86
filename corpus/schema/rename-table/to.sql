CREATE SCHEMA app;
CREATE TABLE app.clients (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, legacy serial, mail text NOT NULL UNIQUE,
  boss int REFERENCES app.clients, age int CHECK (age > 0)
);
CREATE INDEX ON app.clients (lower(mail)) WHERE age > 18;
CREATE STATISTICS app.clients_age_mail_stat ON age, mail FROM app.clients;
CREATE TABLE app.orders (id bigint PRIMARY KEY, customer int REFERENCES app.clients ON DELETE CASCADE);
CREATE VIEW app.adults AS SELECT c.id, c.mail FROM app.clients c WHERE c.age >= 18;
CREATE FUNCTION app.newest() RETURNS app.clients LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT * FROM app.clients ORDER BY id DESC LIMIT 1; END;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.clients FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.clients ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.clients USING (age > 0);
COMMENT ON TABLE app.clients IS 'who buys';
GRANT SELECT ON app.clients TO schema_reader;
