CREATE FUNCTION sf(integer, integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + $2';
CREATE AGGREGATE g(integer) (SFUNC = sf, STYPE = integer);
