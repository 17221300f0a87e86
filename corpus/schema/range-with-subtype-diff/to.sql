CREATE FUNCTION text_distance(a text, b text) RETURNS double precision LANGUAGE sql IMMUTABLE AS 'SELECT 0::double precision';
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C", subtype_diff = text_distance);
CREATE TABLE t (id integer, r textrange);
CREATE INDEX t_r ON t USING gist (r);
