SELECT 1;
-- migrate:up
-- migrate:down
