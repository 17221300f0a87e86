CREATE SCHEMA app;
CREATE TABLE app.t (a int, j jsonb, p point, s text); CREATE INDEX h ON app.t USING hash (a); CREATE INDEX g ON app.t USING gin (j jsonb_path_ops); CREATE INDEX q ON app.t USING gist (p); CREATE INDEX n ON app.t USING spgist (s); CREATE INDEX z ON app.t USING brin (a) WITH (pages_per_range = 8);
