SELECT s.nspname FROM pg_namespace s
WHERE s.nspname !~ '^pg_' AND s.nspname NOT IN ('information_schema', 'pgfleet')
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = s.oid
                  AND e.deptype = 'e')
