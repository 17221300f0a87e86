-- The national quality framework Qualiopi: 7 criteria, 32 indicators, and the levels an
-- organization can reach.

CREATE TABLE IF NOT EXISTS qualiopi_certification_levels (
  id smallint PRIMARY KEY,
  code varchar(20) NOT NULL UNIQUE,
  label text NOT NULL,
  min_score numeric(5, 2) NOT NULL CHECK (min_score BETWEEN 0 AND 100),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS qualiopi_indicators (
  id smallint PRIMARY KEY CHECK (id BETWEEN 1 AND 99),
  criterion smallint NOT NULL CHECK (criterion BETWEEN 1 AND 7),
  label text NOT NULL,
  applies_to_bilans boolean NOT NULL DEFAULT true,
  is_major boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS qualiopi_indicators_criterion_idx ON qualiopi_indicators (criterion, id);

CREATE TRIGGER qualiopi_indicators_touch BEFORE UPDATE ON qualiopi_indicators
  FOR EACH ROW EXECUTE FUNCTION private.touch_updated_at();

INSERT INTO qualiopi_certification_levels (id, code, label, min_score) VALUES
  (1, 'NONE', 'Not assessed', 0),
  (2, 'IN_PROGRESS', 'Evidence is being gathered', 25),
  (3, 'READY', 'Ready for the audit', 80),
  (4, 'CERTIFIED', 'Certified', 100)
ON CONFLICT (id) DO NOTHING;

INSERT INTO qualiopi_indicators (id, criterion, label, applies_to_bilans, is_major) VALUES
  (1, 1, 'The offer is described in detail and can be verified', true, false),
  (2, 1, 'Result figures are published', true, false),
  (3, 1, 'Success rates of certifying courses are published', false, false),
  (4, 2, 'The beneficiary''s need is analysed', true, true),
  (5, 2, 'Aims are operational and can be assessed', true, true),
  (6, 2, 'Content and method fit the aims', true, true),
  (7, 2, 'Content covers the certificate aimed at', false, true),
  (8, 2, 'The starting point is assessed on entry', false, false),
  (9, 3, 'Conditions of the service are told beforehand', true, false),
  (10, 3, 'The service is adapted to the beneficiary', true, true),
  (11, 3, 'Reaching the aims is assessed', true, true),
  (12, 3, 'Engagement is kept up and drop-out prevented', true, false),
  (13, 3, 'Apprentices'' tutors are coordinated', false, false),
  (14, 3, 'Social and educational support is given', false, true),
  (15, 3, 'Apprentices know their rights and duties', false, true),
  (16, 3, 'Candidates may sit the certificate', false, true),
  (17, 4, 'Means fit the service: people, rooms, equipment', true, true),
  (18, 4, 'The people involved are coordinated', true, false),
  (19, 4, 'Teaching resources are provided and used', true, false),
  (20, 4, 'There are staff for mobility and disability', false, true),
  (21, 5, 'Skills needed of staff are defined and present', true, true),
  (22, 5, 'Skills of staff are kept up', true, true),
  (23, 6, 'Law on training is followed and used', true, false),
  (24, 6, 'Trades and occupations are followed', true, false),
  (25, 6, 'Innovation in teaching is followed', true, false),
  (26, 6, 'Partners for disability are known and used', true, true),
  (27, 6, 'Subcontractors meet the framework', true, true),
  (28, 6, 'The local economy takes part', false, false),
  (29, 6, 'Insertion into work is furthered', false, true),
  (30, 7, 'Opinions of all who take part are gathered', true, false),
  (31, 7, 'Complaints and mishaps are dealt with', true, true),
  (32, 7, 'Improvement follows from opinions and complaints', true, true)
ON CONFLICT (id) DO NOTHING;

ALTER TABLE qualiopi_indicators ENABLE ROW LEVEL SECURITY;
ALTER TABLE qualiopi_certification_levels ENABLE ROW LEVEL SECURITY;
CREATE POLICY qualiopi_indicators_read ON qualiopi_indicators FOR SELECT USING (true);
CREATE POLICY qualiopi_certification_levels_read ON qualiopi_certification_levels FOR SELECT USING (true);
