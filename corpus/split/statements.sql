-- leading comment
SELECT 'a;b', E'c\';d', "e;f", $$g;h$$, $t$ $$;$$ $t$; /* ; /* ; */ ; */
;
CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b);
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql
BEGIN ATOMIC
  SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END;
  SELECT 1 AS "end";
END;
CREATE FUNCTION begin() RETURNS int LANGUAGE sql RETURN 1;
SELECT U&"d\0061t;a", e'a'
  'b\';c';
SELECT last
