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

CREATE TABLE roles (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  label text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE permissions (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  module text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE role_permissions (
  role_id integer NOT NULL REFERENCES roles (id),
  permission_id integer NOT NULL REFERENCES permissions (id),
  PRIMARY KEY (role_id, permission_id)
);

CREATE TABLE user_groups (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_group_members (
  group_id uuid NOT NULL REFERENCES user_groups (id),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  since date,
  PRIMARY KEY (group_id, user_id)
);

CREATE TABLE api_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  prefix text NOT NULL,
  hash bytea NOT NULL,
  expires_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE countries (
  code char(2) PRIMARY KEY,
  name text NOT NULL
);

CREATE TABLE currencies (
  code char(3) PRIMARY KEY,
  label text NOT NULL,
  decimals integer NOT NULL DEFAULT 2
);

CREATE TABLE units (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  factor numeric NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tax_rates (
  id serial PRIMARY KEY,
  country_code char(2) NOT NULL REFERENCES countries (code),
  rate numeric NOT NULL,
  valid_from date NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE payment_terms (
  id serial PRIMARY KEY,
  label text NOT NULL,
  days integer NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE surface_treatments (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  label text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tool_types (
  id serial PRIMARY KEY,
  process_id integer REFERENCES processes (id),
  name text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE article_categories (
  id serial PRIMARY KEY,
  parent_id integer REFERENCES article_categories (id),
  name text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE article_prices (
  id bigserial PRIMARY KEY,
  article_id integer NOT NULL REFERENCES articles (id),
  currency_code char(3) NOT NULL REFERENCES currencies (code),
  price numeric NOT NULL,
  valid_from date NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE warehouses (
  id serial PRIMARY KEY,
  code text NOT NULL UNIQUE,
  country_code char(2) REFERENCES countries (code),
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE stock_locations (
  id serial PRIMARY KEY,
  warehouse_id integer NOT NULL REFERENCES warehouses (id),
  aisle text NOT NULL,
  level integer NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE stock_reservations (
  id bigserial PRIMARY KEY,
  stock_id integer NOT NULL REFERENCES stocks (id),
  commande_id bigint NOT NULL REFERENCES commandes (id),
  quantity integer NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE fournisseur_contacts (
  id serial PRIMARY KEY,
  fournisseur_id integer NOT NULL REFERENCES fournisseurs (id) ON DELETE CASCADE,
  name text NOT NULL,
  email text,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE achats (
  id bigserial PRIMARY KEY,
  numero text NOT NULL UNIQUE,
  fournisseur_id integer NOT NULL REFERENCES fournisseurs (id),
  buyer_id uuid REFERENCES users (id),
  status text NOT NULL DEFAULT 'open',
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE achat_lignes (
  id bigserial PRIMARY KEY,
  achat_id bigint NOT NULL REFERENCES achats (id) ON DELETE CASCADE,
  article_id integer NOT NULL REFERENCES articles (id),
  quantity integer NOT NULL,
  unit_price numeric NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE receptions (
  id bigserial PRIMARY KEY,
  achat_id bigint NOT NULL REFERENCES achats (id),
  received_on date NOT NULL,
  received_by uuid REFERENCES users (id),
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE reception_lignes (
  id bigserial PRIMARY KEY,
  reception_id bigint NOT NULL REFERENCES receptions (id),
  achat_ligne_id bigint NOT NULL REFERENCES achat_lignes (id),
  quantity integer NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE livraisons (
  id bigserial PRIMARY KEY,
  commande_id bigint NOT NULL REFERENCES commandes (id),
  shipped_on date,
  carrier text,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE livraison_lignes (
  id bigserial PRIMARY KEY,
  livraison_id bigint NOT NULL REFERENCES livraisons (id),
  commande_ligne_id bigint NOT NULL REFERENCES commande_lignes (id),
  quantity integer NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE devis_lignes (
  id bigserial PRIMARY KEY,
  devis_id bigint NOT NULL REFERENCES devis (id) ON DELETE CASCADE,
  article_id integer NOT NULL REFERENCES articles (id),
  quantity integer NOT NULL,
  unit_price numeric NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE avoirs (
  id bigserial PRIMARY KEY,
  facture_id bigint NOT NULL REFERENCES factures (id),
  amount numeric NOT NULL,
  reason text,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE relances (
  id bigserial PRIMARY KEY,
  facture_id bigint NOT NULL REFERENCES factures (id),
  sent_on date NOT NULL,
  level integer NOT NULL DEFAULT 1,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE nomenclatures (
  id serial PRIMARY KEY,
  article_id integer NOT NULL REFERENCES articles (id),
  version integer NOT NULL DEFAULT 1,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE nomenclature_lignes (
  id bigserial PRIMARY KEY,
  nomenclature_id integer NOT NULL REFERENCES nomenclatures (id) ON DELETE CASCADE,
  composant_id integer NOT NULL REFERENCES articles (id),
  quantity numeric NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE gammes (
  id serial PRIMARY KEY,
  article_id integer NOT NULL REFERENCES articles (id),
  label text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE gamme_operations (
  id bigserial PRIMARY KEY,
  gamme_id integer NOT NULL REFERENCES gammes (id) ON DELETE CASCADE,
  machine_id integer REFERENCES machines (id),
  rank integer NOT NULL,
  minutes numeric NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE operations (
  id bigserial PRIMARY KEY,
  of_id bigint NOT NULL REFERENCES ordres_fabrication (id),
  operator_id uuid REFERENCES users (id),
  started_at timestamptz,
  minutes numeric,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE maintenances (
  id serial PRIMARY KEY,
  machine_id integer NOT NULL REFERENCES machines (id),
  planned_on date NOT NULL,
  done_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE employees (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid REFERENCES users (id),
  matricule text NOT NULL,
  hired_on date,
  hourly_rate numeric,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE pointages (
  id bigserial PRIMARY KEY,
  employee_id uuid NOT NULL REFERENCES employees (id),
  day date NOT NULL,
  hours numeric NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE conges (
  id serial PRIMARY KEY,
  employee_id uuid NOT NULL REFERENCES employees (id),
  period daterange NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE controles_qualite (
  id bigserial PRIMARY KEY,
  of_id bigint NOT NULL REFERENCES ordres_fabrication (id),
  standard_id integer REFERENCES quality_standards (id),
  measures jsonb NOT NULL,
  passed boolean NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE non_conformites (
  id bigserial PRIMARY KEY,
  controle_id bigint NOT NULL REFERENCES controles_qualite (id),
  description text NOT NULL,
  closed_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tickets (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  client_id integer NOT NULL REFERENCES clients (id),
  priority text NOT NULL DEFAULT 'normal',
  subject text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ticket_messages (
  id bigserial PRIMARY KEY,
  ticket_id uuid NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
  author_id uuid REFERENCES users (id),
  body text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE projet_taches (
  id bigserial PRIMARY KEY,
  projet_id integer NOT NULL REFERENCES projets (id) ON DELETE CASCADE,
  assigned_to uuid REFERENCES users (id),
  title text NOT NULL,
  done boolean NOT NULL DEFAULT false,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE comptes (
  id serial PRIMARY KEY,
  numero text NOT NULL UNIQUE,
  label text NOT NULL,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ecritures (
  id bigserial PRIMARY KEY,
  compte_id integer NOT NULL REFERENCES comptes (id),
  facture_id bigint REFERENCES factures (id),
  debit numeric NOT NULL DEFAULT 0,
  credit numeric NOT NULL DEFAULT 0,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX commandes_client_id_idx ON commandes (client_id);
CREATE INDEX commande_lignes_commande_id_idx ON commande_lignes (commande_id);
CREATE INDEX livraison_lignes_livraison_id_idx ON livraison_lignes (livraison_id);
CREATE INDEX ecritures_compte_id_idx ON ecritures (compte_id);
CREATE INDEX pointages_employee_id_day_idx ON pointages (employee_id, day);
