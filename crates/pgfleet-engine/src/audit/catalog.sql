WITH tables AS (
  SELECT c.oid, n.nspname, c.relname, c.reltuples, c.relkind
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e'
      AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid)
), columns AS (
  SELECT a.attrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, NULL),
      'category', t.typcategory, 'not_null', a.attnotnull) ORDER BY a.attnum) AS list
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid IN (SELECT oid FROM tables) AND a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid
), keys AS (
  SELECT k.conrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', k.conname, 'validated', k.convalidated, 'on_delete', k.confdeltype,
      'parent', pg_catalog.json_build_object('schema', n.nspname, 'name', p.relname),
      'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
      'parent_columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number)
    ) ORDER BY k.conname) AS list
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
  WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid IN (SELECT oid FROM tables)
  GROUP BY k.conrelid
), indexes AS (
  SELECT i.indrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', c.relname, 'unique', i.indisunique, 'valid', i.indisvalid,
      'partial', i.indpred IS NOT NULL,
      'constraint', EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')),
      'scans', coalesce(pg_catalog.pg_stat_get_numscans(i.indexrelid), 0),
      'bytes', pg_catalog.pg_relation_size(i.indexrelid),
      'columns', (SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
        FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY u(number, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number AND u.number > 0
        WHERE u.place <= i.indnkeyatts),
      'signature', pg_catalog.concat_ws(';', c.relam, i.indkey, i.indclass, i.indcollation, i.indoption,
        pg_catalog.pg_get_expr(i.indexprs, i.indrelid), 'where ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid))
    ) ORDER BY c.relname) AS list
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid IN (SELECT oid FROM tables)
  GROUP BY i.indrelid
), widths AS (
  SELECT s.schemaname, s.tablename, pg_catalog.sum(s.avg_width * (1 - s.null_frac)) AS width
  FROM pg_catalog.pg_stats s WHERE NOT s.inherited GROUP BY 1, 2
)
SELECT pg_catalog.json_build_object(
  'tables', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'schema', t.nspname, 'name', t.relname, 'rows_estimate', t.reltuples,
      'heap_bytes', pg_catalog.pg_relation_size(t.oid), 'row_width', w.width,
      'dead_rows', coalesce(pg_catalog.pg_stat_get_dead_tuples(t.oid), 0),
      'columns', coalesce(c.list, '[]'), 'foreign_keys', coalesce(k.list, '[]'),
      'indexes', coalesce(i.list, '[]'),
      'primary_key', coalesce((SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
        FROM pg_catalog.pg_constraint p
        CROSS JOIN LATERAL pg_catalog.unnest(p.conkey) WITH ORDINALITY u(number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = p.conrelid AND a.attnum = u.number
        WHERE p.conrelid = t.oid AND p.contype = 'p'), '[]')
    ) ORDER BY t.nspname, t.relname), '[]')
    FROM tables t
    LEFT JOIN columns c ON c.attrelid = t.oid
    LEFT JOIN keys k ON k.conrelid = t.oid
    LEFT JOIN indexes i ON i.indrelid = t.oid
    LEFT JOIN widths w ON w.schemaname = t.nspname AND w.tablename = t.relname AND t.relkind = 'r'),
  'sequences', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
      'sequence', pg_catalog.quote_ident(sn.nspname) || '.' || pg_catalog.quote_ident(s.relname),
      'table', pg_catalog.json_build_object('schema', t.nspname, 'name', t.relname),
      'column', a.attname, 'last_value', v.last_value, 'increment', q.seqincrement,
      'max', least(q.seqmax, CASE a.atttypid WHEN 'int2'::pg_catalog.regtype THEN 32767
        WHEN 'int4'::pg_catalog.regtype THEN 2147483647 ELSE 9223372036854775807 END)
    ) ORDER BY sn.nspname, s.relname), '[]')
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
    JOIN tables t ON t.oid = d.refobjid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    LEFT JOIN pg_catalog.pg_sequences v ON v.schemaname = sn.nspname AND v.sequencename = s.relname
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0),
  'enums', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', e.typname, 'labels', e.labels)), '[]')
    FROM (SELECT t.typname, pg_catalog.json_agg(l.enumlabel ORDER BY l.enumsortorder) AS labels
      FROM pg_catalog.pg_enum l JOIN pg_catalog.pg_type t ON t.oid = l.enumtypid
      GROUP BY t.oid, t.typname) e)
)::text
