CREATE FUNCTION positive(v bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT v > 0';
CREATE TABLE a (id bigint NOT NULL, c text, CONSTRAINT short CHECK (length(c) < 100), CONSTRAINT pos CHECK (positive(id)),
    CONSTRAINT later CHECK (id < 9));
CREATE TABLE b (own text) INHERITS (a);
