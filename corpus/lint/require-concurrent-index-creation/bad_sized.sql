CREATE INDEX users_email_idx ON users (email);
CREATE INDEX plans_name_idx ON plans (name);
