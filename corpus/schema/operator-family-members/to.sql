CREATE OPERATOR FAMILY fam USING btree;
ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 < (integer, integer), FUNCTION 1 (integer, integer) btint4cmp(integer, integer);
