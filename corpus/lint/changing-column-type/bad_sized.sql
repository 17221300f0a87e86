ALTER TABLE users ALTER COLUMN age TYPE bigint;
ALTER TABLE users ALTER COLUMN code TYPE varchar(20);
ALTER TABLE plans ALTER COLUMN name TYPE jsonb USING to_jsonb(name);
