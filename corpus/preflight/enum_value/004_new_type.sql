CREATE TYPE state AS ENUM ('on');
ALTER TYPE state ADD VALUE 'off';
CREATE TABLE s (s state DEFAULT 'off'::state);
