ALTER SCHEMA app RENAME TO core;
ALTER TABLE core.users RENAME TO people;
ALTER TABLE core.people RENAME COLUMN id TO key;
ALTER TYPE core.mood RENAME VALUE 'good' TO 'fine';
ALTER SEQUENCE core.users_id_seq RENAME TO people_key_seq;
ALTER TABLE core.people RENAME CONSTRAINT users_pkey TO people_pkey;
