CREATE SCHEMA app;
CREATE TABLE app.customers (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, legacy serial, mail text NOT NULL UNIQUE,
  boss int REFERENCES app.customers, age int CHECK (age > 0)
);
CREATE INDEX ON app.customers (lower(mail)) WHERE age > 18;
CREATE STATISTICS app.customers_age_mail_stat ON age, mail FROM app.customers;
CREATE TABLE app.orders (id bigint PRIMARY KEY, customer int REFERENCES app.customers ON DELETE CASCADE);
CREATE VIEW app.adults AS SELECT c.id, c.mail FROM app.customers c WHERE c.age >= 18;
CREATE FUNCTION app.newest() RETURNS app.customers LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT * FROM app.customers ORDER BY id DESC LIMIT 1; END;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON app.customers FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.customers USING (age > 0);
COMMENT ON TABLE app.customers IS 'who buys';
GRANT SELECT ON app.customers TO schema_reader;
