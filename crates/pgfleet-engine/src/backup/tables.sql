SELECT pg_catalog.json_build_object(
  'schema', n.nspname, 'name', c.relname,
  'pages', pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint,
  'bytes', pg_catalog.pg_table_size(c.oid),
  'columns', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'base_type',
      CASE WHEN b.typtype = 'b' AND b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
        AND b.typcategory <> 'A' THEN b.typname ELSE '' END)), '[]')
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''))::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND (
  n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend e
    WHERE e.deptype = 'e' AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid)
  OR :large_objects AND c.oid = 'pg_catalog.pg_largeobject'::pg_catalog.regclass
    AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
    AND EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata))
ORDER BY n.nspname, c.relname
