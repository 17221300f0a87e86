-- Schemas and extensions.
SELECT 'pg_namespace'::regclass::oid, n.oid, NULL, n.nspname, NULL, NULL,
    pg_get_userbyid(n.nspowner), to_json(n.nspacl::text[]), json_build_object('is', 'schema')
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_extension'::regclass::oid, x.oid, NULL, x.extname, NULL, NULL, NULL, NULL,
    json_build_object('is', 'extension', 'schema', n.nspname, 'version', x.extversion,
        'relocatable', x.extrelocatable)
FROM pg_extension x
JOIN pg_namespace n ON n.oid = x.extnamespace
WHERE x.oid >= 16384
