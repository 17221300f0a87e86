ALTER TABLE app.customers RENAME TO clients;
ALTER SEQUENCE app.customers_id_seq RENAME TO clients_id_seq;
ALTER SEQUENCE app.customers_legacy_seq RENAME TO clients_legacy_seq;
ALTER INDEX app.customers_lower_idx RENAME TO clients_lower_idx;
ALTER TABLE app.clients RENAME CONSTRAINT customers_age_check TO clients_age_check;
ALTER TABLE app.clients RENAME CONSTRAINT customers_boss_fkey TO clients_boss_fkey;
ALTER TABLE app.clients RENAME CONSTRAINT customers_mail_key TO clients_mail_key;
ALTER TABLE app.clients RENAME CONSTRAINT customers_pkey TO clients_pkey;
ALTER STATISTICS app.customers_age_mail_stat RENAME TO clients_age_mail_stat;
