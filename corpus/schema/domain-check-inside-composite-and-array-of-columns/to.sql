CREATE DOMAIN d AS int CHECK (VALUE > 0);
CREATE DOMAIN over AS d;
CREATE TYPE pair AS (a d, b text);
CREATE TYPE span AS RANGE (subtype = over);
CREATE TABLE t (id int, p pair, q d[], r pair[], o over, s span);
CREATE VIEW v AS SELECT q, (p).a FROM t;
CREATE INDEX i ON t (o);
COMMENT ON DOMAIN d IS 'held';
