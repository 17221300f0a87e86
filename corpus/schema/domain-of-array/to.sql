CREATE DOMAIN tags AS text[] CHECK (cardinality(VALUE) < 10);
CREATE TABLE t (id integer, tags tags DEFAULT '{}'::text[]);
