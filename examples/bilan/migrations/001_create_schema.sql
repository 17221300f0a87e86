-- Core of the skills-assessment service: who takes part, the assessments, and their paperwork.
-- A "bilan" is one skills assessment of one beneficiary, led by a consultant of an organization.

CREATE SCHEMA IF NOT EXISTS private;
COMMENT ON SCHEMA private IS 'Functions for policies and triggers; not reachable through the API.';

CREATE TYPE user_role AS ENUM ('BENEFICIARY', 'CONSULTANT', 'ORG_ADMIN', 'ADMIN');
CREATE TYPE bilan_status AS ENUM ('PRELIMINARY', 'INVESTIGATION', 'CONCLUSION', 'COMPLETED', 'ARCHIVED');
CREATE TYPE subscription_plan AS ENUM ('FREE', 'STANDARD', 'PREMIUM');

-- Keeps updated_at true without help from the application.
CREATE OR REPLACE FUNCTION private.touch_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END;
$$;

CREATE TABLE IF NOT EXISTS organizations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  siret char(14) UNIQUE CHECK (siret ~ '^[0-9]{14}$'),
  description text,
  website text,
  logo_url text,
  address jsonb NOT NULL DEFAULT '{}'::jsonb,
  subscription_plan subscription_plan NOT NULL DEFAULT 'FREE',
  qualiopi_certified boolean NOT NULL DEFAULT false,
  max_users integer NOT NULL DEFAULT 10 CHECK (max_users > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN organizations.siret IS 'French establishment number: 14 digits.';

CREATE TABLE IF NOT EXISTS users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email varchar(255) NOT NULL,
  password_hash varchar(255) NOT NULL,
  full_name varchar(255) NOT NULL,
  role user_role NOT NULL DEFAULT 'BENEFICIARY',
  organization_id uuid REFERENCES organizations (id) ON DELETE SET NULL,
  avatar_url text,
  bio text,
  email_verified boolean NOT NULL DEFAULT false,
  last_login timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX IF NOT EXISTS users_email_key ON users (lower(email));
CREATE INDEX IF NOT EXISTS users_organization_idx ON users (organization_id);
CREATE INDEX IF NOT EXISTS users_role_idx ON users (role);

CREATE TABLE IF NOT EXISTS bilans (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  beneficiary_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  consultant_id uuid REFERENCES users (id) ON DELETE SET NULL,
  organization_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  status bilan_status NOT NULL DEFAULT 'PRELIMINARY',
  start_date date,
  expected_end_date date,
  actual_end_date date,
  duration_hours integer CHECK (duration_hours BETWEEN 1 AND 24),
  progress_percentage integer NOT NULL DEFAULT 0 CHECK (progress_percentage BETWEEN 0 AND 100),
  contract_signed boolean NOT NULL DEFAULT false,
  contract_url text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT bilans_dates_ordered CHECK (expected_end_date IS NULL OR expected_end_date >= start_date)
);
COMMENT ON COLUMN bilans.duration_hours IS 'By law a bilan takes no more than 24 hours.';
CREATE INDEX IF NOT EXISTS bilans_beneficiary_idx ON bilans (beneficiary_id);
CREATE INDEX IF NOT EXISTS bilans_consultant_idx ON bilans (consultant_id);
CREATE INDEX IF NOT EXISTS bilans_organization_status_idx ON bilans (organization_id, status);

CREATE TABLE IF NOT EXISTS competencies (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bilan_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  skill_name varchar(255) NOT NULL,
  category varchar(100),
  level integer CHECK (level BETWEEN 1 AND 5),
  frequency varchar(50),
  context text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (bilan_id, skill_name)
);

CREATE TABLE IF NOT EXISTS recommendations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bilan_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  kind varchar(20) NOT NULL CHECK (kind IN ('JOB', 'TRAINING', 'BUSINESS', 'VALIDATION')),
  title varchar(255) NOT NULL,
  description text,
  rome_code char(5) CHECK (rome_code ~ '^[A-Z][0-9]{4}$'),
  match_score numeric(5, 2) CHECK (match_score BETWEEN 0 AND 100),
  priority integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN recommendations.rome_code IS 'Occupation in the French register ROME, such as M1805.';
CREATE INDEX IF NOT EXISTS recommendations_bilan_idx ON recommendations (bilan_id, priority);

CREATE TABLE IF NOT EXISTS documents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bilan_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  uploaded_by uuid REFERENCES users (id) ON DELETE SET NULL,
  file_name varchar(255) NOT NULL,
  file_type varchar(100) NOT NULL,
  file_size_bytes bigint NOT NULL CHECK (file_size_bytes >= 0),
  storage_path text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS documents_bilan_idx ON documents (bilan_id);

CREATE TABLE IF NOT EXISTS messages (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bilan_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  sender_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  recipient_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  content text NOT NULL,
  read_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS messages_bilan_idx ON messages (bilan_id, created_at DESC);
CREATE INDEX IF NOT EXISTS messages_unread_idx ON messages (recipient_id) WHERE read_at IS NULL;

CREATE TABLE IF NOT EXISTS sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  bilan_id uuid NOT NULL REFERENCES bilans (id) ON DELETE CASCADE,
  consultant_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  scheduled_at timestamptz NOT NULL,
  duration_minutes integer NOT NULL DEFAULT 60 CHECK (duration_minutes BETWEEN 15 AND 480),
  meeting_url text,
  notes text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS sessions_consultant_idx ON sessions (consultant_id, scheduled_at);

-- Who did what, kept as the GDPR asks. Rows are only ever added.
CREATE TABLE IF NOT EXISTS audit_logs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id uuid REFERENCES users (id) ON DELETE SET NULL,
  action varchar(100) NOT NULL,
  entity_type varchar(100) NOT NULL,
  entity_id uuid,
  old_values jsonb,
  new_values jsonb,
  ip_address inet,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS audit_logs_entity_idx ON audit_logs (entity_type, entity_id);
CREATE INDEX IF NOT EXISTS audit_logs_created_idx ON audit_logs USING brin (created_at);

-- One trigger a table, so that a new table is a new line here.
DO $do$
DECLARE
  table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY[
    'organizations', 'users', 'bilans', 'competencies', 'recommendations', 'documents', 'messages', 'sessions'
  ] LOOP
    EXECUTE format(
      'CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at()',
      table_name || '_touch', table_name
    );
  END LOOP;
END
$do$;

-- Row-level security. The API's roles see their own rows; the backend uses service_role, which
-- is not subject to it.
CREATE OR REPLACE FUNCTION private.is_party_to(bilan uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT EXISTS (
    SELECT FROM bilans b
    WHERE b.id = bilan AND auth.uid() IN (b.beneficiary_id, b.consultant_id)
  );
$$;
GRANT USAGE ON SCHEMA private TO authenticated;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE bilans ENABLE ROW LEVEL SECURITY;
ALTER TABLE competencies ENABLE ROW LEVEL SECURITY;
ALTER TABLE recommendations ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_logs ENABLE ROW LEVEL SECURITY;

CREATE POLICY users_read_self ON users FOR SELECT TO authenticated USING (id = auth.uid());
CREATE POLICY users_update_self ON users FOR UPDATE TO authenticated
  USING (id = auth.uid()) WITH CHECK (id = auth.uid());
CREATE POLICY organizations_read_own ON organizations FOR SELECT TO authenticated
  USING (id IN (SELECT u.organization_id FROM users u WHERE u.id = auth.uid()));
CREATE POLICY bilans_read_party ON bilans FOR SELECT TO authenticated
  USING (auth.uid() IN (beneficiary_id, consultant_id));
CREATE POLICY bilans_update_consultant ON bilans FOR UPDATE TO authenticated
  USING (consultant_id = auth.uid());
CREATE POLICY competencies_party ON competencies TO authenticated
  USING (private.is_party_to(bilan_id)) WITH CHECK (private.is_party_to(bilan_id));
CREATE POLICY recommendations_party ON recommendations FOR SELECT TO authenticated
  USING (private.is_party_to(bilan_id));
CREATE POLICY documents_party ON documents TO authenticated
  USING (private.is_party_to(bilan_id)) WITH CHECK (uploaded_by = auth.uid());
CREATE POLICY messages_party ON messages FOR SELECT TO authenticated
  USING (auth.uid() IN (sender_id, recipient_id));
CREATE POLICY messages_send ON messages FOR INSERT TO authenticated
  WITH CHECK (sender_id = auth.uid() AND private.is_party_to(bilan_id));
CREATE POLICY sessions_party ON sessions FOR SELECT TO authenticated
  USING (private.is_party_to(bilan_id));
