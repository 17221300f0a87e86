-- Constraints of tables. The foreign keys of partitions that come from their partitioned table are
-- part of that table's.
SELECT k.oid, n.nspname, c.relname, k.conname, k.contype, pg_get_constraintdef(k.oid),
    k.convalidated,
    k.contype = 'c' AND k.coninhcount > 0 AND NOT k.conislocal,
    CASE WHEN k.conparentid <> 0 THEN
        (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = k.conindid) END,
    to_json(x.reloptions),
    CASE WHEN k.contype = 'f' THEN k.confrelid::regclass::text END
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class x ON x.oid = k.conindid AND k.contype <> 'f'
WHERE k.contype IN ('p', 'u', 'x', 'c', 'f') AND NOT (k.contype = 'f' AND k.conparentid <> 0)
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
