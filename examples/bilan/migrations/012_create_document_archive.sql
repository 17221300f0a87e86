-- The archive keeps what must be kept, for as long as it must be, and then lets go of it.

CREATE TABLE IF NOT EXISTS document_archive (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  document_id uuid REFERENCES documents (id) ON DELETE SET NULL,
  bilan_id uuid REFERENCES bilans (id) ON DELETE SET NULL,
  organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  file_name varchar(255) NOT NULL,
  storage_path text NOT NULL,
  content_sha256 char(64) NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
  archived_by uuid REFERENCES users (id) ON DELETE SET NULL,
  archived_at timestamptz NOT NULL DEFAULT now(),
  retention interval NOT NULL DEFAULT interval '3 years',
  legal_hold boolean NOT NULL DEFAULT false,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT document_archive_hold_keeps CHECK (NOT (legal_hold AND deleted_at IS NOT NULL))
);
CREATE UNIQUE INDEX IF NOT EXISTS document_archive_content_key
  ON document_archive (organization_id, content_sha256) WHERE deleted_at IS NULL;
CREATE INDEX IF NOT EXISTS document_archive_bilan_idx ON document_archive (bilan_id);

CREATE TRIGGER document_archive_touch BEFORE UPDATE ON document_archive
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

-- An archived file's content never changes; only its fate does.
CREATE OR REPLACE FUNCTION private.protect_archive() RETURNS trigger
LANGUAGE plpgsql AS $fn$
BEGIN
  IF NEW.content_sha256 <> OLD.content_sha256 OR NEW.storage_path <> OLD.storage_path THEN
    RAISE EXCEPTION 'archived documents cannot be changed'
      USING HINT = 'archive the new version as a new document';
  END IF;
  RETURN NEW;
END;
$fn$;

CREATE TRIGGER document_archive_protect BEFORE UPDATE ON document_archive
  FOR EACH ROW EXECUTE FUNCTION private.protect_archive();

ALTER TABLE document_archive ENABLE ROW LEVEL SECURITY;
CREATE POLICY document_archive_own ON document_archive FOR SELECT TO authenticated
  USING (organization_id IN (SELECT u.organization_id FROM users u WHERE u.id = auth.uid()));
