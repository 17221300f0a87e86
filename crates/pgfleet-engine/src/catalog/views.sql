-- Views and materialized views, without their columns.
SELECT 'pg_class'::regclass::oid, c.oid, n.nspname, c.relname, NULL, NULL,
    pg_get_userbyid(c.relowner), to_json(c.relacl::text[]),
    json_build_object('is', CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized_view' END,
        'definition', rtrim(pg_get_viewdef(c.oid), ';'),
        'options', (SELECT coalesce(json_agg(o ORDER BY o), '[]') FROM unnest(c.reloptions) o))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
