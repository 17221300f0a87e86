-- Columns of tables, views and materialized views.
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    CASE WHEN a.atthasdef THEN pg_get_expr(d.adbin, d.adrelid) END,
    a.attgenerated, a.attidentity,
    CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
        THEN a.attcollation::regcollation::text END,
    CASE WHEN a.attstorage <> t.typstorage AND c.relkind IN ('r', 'p', 'm') THEN a.attstorage END,
    a.attcompression,
    CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
    -- Servers from 15.20 on keep a stamp of their own among the options, which nobody set.
    CASE WHEN a.attoptions IS NOT NULL THEN
      (SELECT to_json(array_agg(o.option ORDER BY o.position))
         FROM unnest(a.attoptions) WITH ORDINALITY AS o(option, position)
        WHERE o.option NOT LIKE 'pg\_attver=%') END,
    a.attinhcount > 0 AND NOT a.attislocal,
    to_json(a.attfdwoptions),
    to_json(a.attacl::text[])
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet')
ORDER BY a.attrelid, a.attnum
