CREATE FUNCTION of(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = of, COMMUTATOR = ===, HASHES);
COMMENT ON OPERATOR ===(integer, integer) IS 'x';
