SELECT 'table', n.nspname, c.relname, c.reltuples::text,
  (pg_catalog.pg_table_size(c.oid))::text,
  (CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid)
    / pg_catalog.current_setting('block_size')::bigint ELSE 0 END)::text,
  coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::text, (c.relkind = 'p')::text, NULL
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('information_schema', 'pgfleet')
  AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 2, 3;
SELECT 'column', n.nspname, c.relname, a.attname,
  pg_catalog.format_type(a.atttypid, a.atttypmod),
  pg_catalog.format_type(b.oid, -1),
  pg_catalog.concat_ws(' ',
    CASE WHEN a.attnotnull OR t.typnotnull THEN 'not-null' END,
    CASE WHEN a.atthasdef OR a.attidentity <> '' THEN 'default' END,
    CASE WHEN a.attgenerated <> '' THEN 'generated' END,
    CASE WHEN b.oid < 16384 AND coalesce(e.oid, 0) < 16384 THEN 'builtin' END),
  (SELECT pg_catalog.json_agg(l.enumlabel ORDER BY l.enumsortorder)::text
   FROM pg_catalog.pg_enum l WHERE l.enumtypid = b.oid),
  CASE WHEN c.relkind IN ('r', 'p') THEN pg_catalog.pg_get_serial_sequence(
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), a.attname) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
LEFT JOIN pg_catalog.pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('information_schema', 'pgfleet')
  AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname, a.attnum;
SELECT 'key', n.nspname, c.relname, i.relname, x.indisprimary::text,
  (SELECT pg_catalog.json_agg(a.attname ORDER BY k.at)::text
   FROM pg_catalog.unnest(x.indkey::smallint[]) WITH ORDINALITY k (attnum, at)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
   WHERE k.at <= x.indnkeyatts), NULL, NULL, NULL
FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE x.indisunique AND x.indisvalid AND x.indexprs IS NULL AND x.indpred IS NULL AND NOT c.relispartition
  AND c.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'pgfleet') AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname, x.indisprimary DESC, i.relname;
SELECT 'foreign', n.nspname, c.relname, f.conname,
  (SELECT pg_catalog.json_agg(a.attname ORDER BY k.at)::text
   FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY k (attnum, at)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
  m.nspname, r.relname,
  (SELECT pg_catalog.json_agg(a.attname ORDER BY k.at)::text
   FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY k (attnum, at)
   JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum), f.convalidated::text
FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
WHERE f.contype = 'f' AND f.conparentid = 0 AND n.nspname NOT IN ('information_schema', 'pgfleet')
  AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname, f.conname
