-- Objects that the model has no place for.
SELECT 'conversion ' || quote_ident(n.nspname) || '.' || quote_ident(c.conname)
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_conversion'::regclass AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT 'base type ' || quote_ident(n.nspname) || '.' || quote_ident(t.typname)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE (t.typtype = 'p' OR (t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_depend i
        WHERE i.classid = 'pg_type'::regclass AND i.objid = t.oid AND i.deptype = 'i')))
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
UNION ALL
SELECT 'language ' || quote_ident(l.lanname) FROM pg_language l
WHERE l.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_language'::regclass AND e.objid = l.oid AND e.deptype = 'e')
UNION ALL
SELECT 'transform for ' || format_type(t.trftype, NULL) FROM pg_transform t
WHERE t.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_transform'::regclass AND e.objid = t.oid AND e.deptype = 'e')
UNION ALL
SELECT 'access method ' || quote_ident(m.amname) FROM pg_am m
WHERE m.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_am'::regclass AND e.objid = m.oid AND e.deptype = 'e')
UNION ALL
SELECT 'subscription ' || quote_ident(s.subname) FROM pg_subscription s
JOIN pg_database b ON b.oid = s.subdbid WHERE b.datname = current_database()
UNION ALL
SELECT 'security label on ' || l.objtype || ' ' || l.objname FROM pg_seclabels l
WHERE l.objoid >= 16384 AND l.objtype NOT IN ('database', 'role', 'tablespace')
UNION ALL
SELECT 'tablespace of ' || c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.reltablespace <> 0 AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet')
UNION ALL
SELECT 'table access method of ' || c.oid::regclass FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam
WHERE c.relkind IN ('r', 'm', 'p') AND m.amname <> 'heap' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
/*>=18*/UNION ALL
/*>=18*/SELECT 'not-null constraint ' || quote_ident(k.conname) || ' on ' || k.conrelid::regclass
/*>=18*/    || CASE WHEN k.convalidated THEN ', not inherited' ELSE ', not valid' END
/*>=18*/FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
/*>=18*/WHERE k.contype = 'n' AND (NOT k.convalidated OR k.connoinherit) AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = k.conrelid AND e.deptype = 'e')
/*>=18*/UNION ALL
/*>=18*/SELECT 'generated columns of publication ' || quote_ident(p.pubname) FROM pg_publication p
/*>=18*/WHERE p.pubgencols <> 'n'
