CREATE TABLE a (id bigint, c text, d bigint);
CREATE TABLE b (own text) INHERITS (a);
ALTER TABLE b ADD COLUMN g text GENERATED ALWAYS AS (c || d::text) STORED;
CREATE VIEW v AS SELECT id, g FROM b;
