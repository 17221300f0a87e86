CREATE SCHEMA app;
CREATE TABLE app.t (a uuid DEFAULT gen_random_uuid());
