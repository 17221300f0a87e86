CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b text);
CREATE VIEW app.v AS SELECT id FROM app.t; CREATE INDEX i ON app.t (a); COMMENT ON VIEW app.v IS 'it''s a \ view'; COMMENT ON COLUMN app.v.id IS 'id'; COMMENT ON INDEX app.i IS 'i'; COMMENT ON CONSTRAINT t_pkey ON app.t IS 'k'; COMMENT ON SCHEMA app IS 's';
