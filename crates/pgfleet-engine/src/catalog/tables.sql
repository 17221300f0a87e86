-- Tables, partitioned tables and foreign tables.
SELECT c.oid, c.relkind, n.nspname, c.relname, c.relpersistence,
    CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
    pg_get_expr(c.relpartbound, c.oid),
    (SELECT json_agg(i.inhparent::regclass::text ORDER BY i.inhseqno)
        FROM pg_inherits i WHERE i.inhrelid = c.oid),
    to_json(c.reloptions),
    to_json(t.reloptions),
    c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
    CASE c.relreplident WHEN 'i' THEN
        (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
            WHERE i.indrelid = c.oid AND i.indisreplident) END,
    s.srvname, to_json(f.ftoptions),
    CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
    pg_get_userbyid(c.relowner), to_json(c.relacl::text[]),
    (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND i.indisclustered)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid AND t.reloptions IS NOT NULL
LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid
LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
