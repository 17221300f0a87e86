-- The database of a workshop's ERP before it is split: one schema, one customer, no tenant anywhere.

CREATE TYPE user_role AS ENUM ('ADMIN', 'MANAGER', 'OPERATOR', 'SUPERVISOR');

CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL,
  password_hash text NOT NULL,
  first_name varchar(100),
  last_name varchar(100),
  role user_role NOT NULL DEFAULT 'OPERATOR',
  is_active boolean NOT NULL DEFAULT true,
  legacy_badge text,
  last_login_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token text NOT NULL,
  expires_at timestamptz NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_preferences (
  id serial PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL,
  value jsonb NOT NULL DEFAULT '{}',
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, name)
);

CREATE TABLE password_resets (
  id serial PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  code text NOT NULL,
  expires_at timestamptz NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_logs (
  id bigserial PRIMARY KEY,
  user_id uuid REFERENCES users (id),
  action text NOT NULL,
  payload jsonb,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE materials (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text NOT NULL,
  density numeric,
  unit text NOT NULL DEFAULT 'kg',
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE material_grades (
  id serial PRIMARY KEY,
  material_id integer NOT NULL REFERENCES materials (id),
  grade text NOT NULL,
  yield_strength numeric,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE processes (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  label text NOT NULL,
  parameters jsonb NOT NULL DEFAULT '{}',
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE quality_standards (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  title text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE material_standards (
  material_id integer NOT NULL REFERENCES materials (id),
  standard_id integer NOT NULL REFERENCES quality_standards (id),
  PRIMARY KEY (material_id, standard_id)
);

CREATE TABLE clients (
  id serial PRIMARY KEY,
  code text,
  name text,
  email text,
  siret text,
  owner_id uuid REFERENCES users (id),
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE client_contacts (
  id serial PRIMARY KEY,
  client_id integer NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
  name text NOT NULL,
  phone text,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE client_addresses (
  id serial PRIMARY KEY,
  client_id integer NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
  street text NOT NULL,
  city text NOT NULL,
  postal_code text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE fournisseurs (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  name text NOT NULL,
  rating numeric,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE articles (
  id serial PRIMARY KEY,
  reference text NOT NULL UNIQUE,
  label text NOT NULL,
  material_id integer REFERENCES materials (id),
  fournisseur_id integer REFERENCES fournisseurs (id),
  price numeric NOT NULL DEFAULT 0,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE stocks (
  id serial PRIMARY KEY,
  article_id integer NOT NULL REFERENCES articles (id),
  quantity integer NOT NULL DEFAULT 0,
  location text NOT NULL DEFAULT 'A1',
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE stock_movements (
  id bigserial PRIMARY KEY,
  stock_id integer NOT NULL REFERENCES stocks (id),
  delta integer NOT NULL,
  moved_by uuid REFERENCES users (id),
  reason text,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE commandes (
  id bigserial PRIMARY KEY,
  numero text NOT NULL UNIQUE,
  client_id integer NOT NULL,
  status text NOT NULL DEFAULT 'draft',
  total text NOT NULL DEFAULT '0',
  ordered_by uuid REFERENCES users (id),
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE commande_lignes (
  id bigserial PRIMARY KEY,
  commande_id bigint NOT NULL REFERENCES commandes (id) ON DELETE CASCADE,
  article_id integer NOT NULL REFERENCES articles (id),
  quantity integer NOT NULL,
  unit_price numeric NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE devis (
  id bigserial PRIMARY KEY,
  client_id integer NOT NULL REFERENCES clients (id),
  commande_id bigint REFERENCES commandes (id),
  amount numeric NOT NULL,
  valid_until date,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE factures (
  id bigserial PRIMARY KEY,
  commande_id bigint NOT NULL REFERENCES commandes (id),
  numero text NOT NULL UNIQUE,
  amount numeric NOT NULL,
  paid_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE paiements (
  id bigserial PRIMARY KEY,
  facture_id bigint NOT NULL REFERENCES factures (id),
  amount numeric NOT NULL,
  method text NOT NULL DEFAULT 'virement',
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE machines (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  process_id integer REFERENCES processes (id),
  name text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ordres_fabrication (
  id bigserial PRIMARY KEY,
  commande_id bigint REFERENCES commandes (id),
  machine_id integer REFERENCES machines (id),
  planned_on date,
  quantity integer NOT NULL DEFAULT 1,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE projets (
  id serial PRIMARY KEY,
  client_id integer NOT NULL REFERENCES clients (id),
  name text NOT NULL,
  budget numeric,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE documents (
  id bigserial PRIMARY KEY,
  projet_id integer REFERENCES projets (id),
  name text NOT NULL,
  content bytea,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notifications (
  id bigserial PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id),
  title text NOT NULL,
  read_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX commandes_client_id_idx ON commandes (client_id);
CREATE INDEX commande_lignes_commande_id_idx ON commande_lignes (commande_id);
