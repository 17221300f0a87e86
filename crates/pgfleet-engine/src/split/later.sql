SELECT l.phase, l.what, l.take_off, l.again FROM (
  SELECT 2 AS phase, 1 AS step, f.conname AS name,
    pg_catalog.format('foreign key %I of %s', f.conname, f.conrelid::pg_catalog.regclass) AS what,
    pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', f.conrelid::pg_catalog.regclass, f.conname) AS take_off,
    pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s%s%s', f.conrelid::pg_catalog.regclass, f.conname,
      pg_catalog.pg_get_constraintdef(f.oid), CASE WHEN p.relkind = 'r' THEN ' NOT VALID' END,
      '; ' || pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', f.conname,
        f.conrelid::pg_catalog.regclass, pg_catalog.obj_description(f.oid, 'pg_constraint'))) AS again
  FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
  JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
  WHERE f.contype = 'f' AND f.conparentid = 0 AND f.convalidated AND c.relkind = 'r' AND NOT c.relispartition
    AND (f.conrelid = ANY ($TABLES) OR f.confrelid = ANY ($TABLES))
  UNION ALL
  SELECT 4, 1, f.conname,
    pg_catalog.format('foreign key %I of %s', f.conname, f.conrelid::pg_catalog.regclass), '',
    pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I', f.conrelid::pg_catalog.regclass, f.conname)
  FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
  JOIN pg_catalog.pg_class p ON p.oid = f.confrelid
  WHERE p.relkind = 'r' AND f.contype = 'f' AND f.conparentid = 0 AND f.convalidated AND c.relkind = 'r' AND NOT c.relispartition
    AND (f.conrelid = ANY ($TABLES) OR f.confrelid = ANY ($TABLES))
  UNION ALL
  SELECT 1, 2, k.conname,
    pg_catalog.format('key %I of %s', k.conname, k.conrelid::pg_catalog.regclass),
    pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::pg_catalog.regclass, k.conname),
    pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s%s%s', k.conrelid::pg_catalog.regclass, k.conname,
      pg_catalog.pg_get_constraintdef(k.oid),
      '; ' || pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname,
        k.conrelid::pg_catalog.regclass, pg_catalog.obj_description(k.oid, 'pg_constraint')),
      '; ' || pg_catalog.format('COMMENT ON INDEX %s IS %L', k.conindid::pg_catalog.regclass,
        pg_catalog.obj_description(k.conindid, 'pg_class')))
  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_index x ON x.indexrelid = k.conindid
  WHERE k.contype IN ('p', 'u', 'x') AND c.relkind = 'r' AND NOT c.relispartition AND c.relreplident <> 'i'
    AND NOT x.indisclustered AND k.conrelid = ANY ($LARGE)
  UNION ALL
  SELECT 1, 3, i.relname,
    pg_catalog.format('index %s', x.indexrelid::pg_catalog.regclass),
    pg_catalog.format('DROP INDEX %s', x.indexrelid::pg_catalog.regclass),
    pg_catalog.format('%s%s', pg_catalog.pg_get_indexdef(x.indexrelid),
      '; ' || pg_catalog.format('COMMENT ON INDEX %s IS %L', x.indexrelid::pg_catalog.regclass,
        pg_catalog.obj_description(x.indexrelid, 'pg_class')))
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
  WHERE c.relkind = 'r' AND NOT c.relispartition AND c.relreplident <> 'i' AND x.indisvalid
    AND NOT x.indisclustered AND x.indrelid = ANY ($LARGE)
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype <> 'f')
    AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.indexrelid AND a.attstattarget > 0)
  UNION ALL
  SELECT 3, 4, t.tgname,
    pg_catalog.format('trigger %I of %s', t.tgname, t.tgrelid::pg_catalog.regclass),
    pg_catalog.format('ALTER TABLE %s DISABLE TRIGGER %I', t.tgrelid::pg_catalog.regclass, t.tgname),
    pg_catalog.format('ALTER TABLE %s ENABLE%s TRIGGER %I', t.tgrelid::pg_catalog.regclass,
      CASE t.tgenabled WHEN 'R' THEN ' REPLICA' WHEN 'A' THEN ' ALWAYS' ELSE '' END, t.tgname)
  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND c.relkind IN ('r', 'p') AND t.tgrelid = ANY ($TABLES)
) l ORDER BY l.step, l.phase, l.what
