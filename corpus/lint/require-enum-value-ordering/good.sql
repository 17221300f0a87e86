ALTER TYPE status ADD VALUE 'paused' AFTER 'active';
