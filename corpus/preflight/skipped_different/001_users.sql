CREATE TABLE users (id integer PRIMARY KEY, name varchar(100), kind text, "when" timestamp with time zone);
ALTER TABLE users RENAME COLUMN name TO full_name;
ALTER TABLE users ADD COLUMN email text;
