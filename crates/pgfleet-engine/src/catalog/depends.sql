-- What depends on what. Dependencies on schemas follow from names.
SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype
FROM pg_depend
WHERE objid >= 16384 AND refobjid >= 16384 AND refclassid <> 'pg_namespace'::regclass
