CREATE PROCEDURE p(INOUT n integer, VARIADIC more text[] DEFAULT '{}') LANGUAGE plpgsql AS 'BEGIN n := n + 1; COMMIT; END';
