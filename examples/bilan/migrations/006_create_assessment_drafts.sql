-- Drafts: the form saves itself every few seconds, and must not lose what another tab saved.

CREATE TABLE IF NOT EXISTS assessment_drafts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  assessment_id uuid NOT NULL UNIQUE REFERENCES bilans (id) ON DELETE CASCADE,
  draft_data jsonb NOT NULL DEFAULT '{}'::jsonb,
  current_step smallint NOT NULL DEFAULT 1 CHECK (current_step BETWEEN 1 AND 5),
  revision integer NOT NULL DEFAULT 1,
  auto_saved_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT assessment_drafts_size CHECK (pg_column_size(draft_data) < 1048576)
);
CREATE INDEX IF NOT EXISTS assessment_drafts_saved_idx ON assessment_drafts (auto_saved_at);

CREATE OR REPLACE FUNCTION private.next_draft_revision() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.revision <> OLD.revision THEN
    RAISE EXCEPTION 'the draft was saved elsewhere; reload it'
      USING ERRCODE = 'serialization_failure', DETAIL = format('revision %s is current', OLD.revision);
  END IF;
  NEW.revision := OLD.revision + 1;
  NEW.auto_saved_at := now();
  NEW.updated_at := now();
  RETURN NEW;
END;
$$;

CREATE TRIGGER assessment_drafts_revision BEFORE UPDATE ON assessment_drafts
  FOR EACH ROW EXECUTE FUNCTION private.next_draft_revision();

ALTER TABLE assessment_drafts ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_drafts_owner ON assessment_drafts TO authenticated
  USING (EXISTS (SELECT FROM bilans b WHERE b.id = assessment_id AND b.beneficiary_id = auth.uid()));
