CREATE TABLE clients (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, joined timestamptz DEFAULT now());
CREATE VIEW mails AS SELECT email AS mail FROM clients;
