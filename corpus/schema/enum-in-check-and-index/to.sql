CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (m mood DEFAULT 'ok', CONSTRAINT not_sad CHECK (m <> 'sad'));
CREATE INDEX t_m ON t (m) WHERE m = 'ok';
