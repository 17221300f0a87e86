SELECT 'trigger', n.nspname, c.relname, g.tgname, g.tgenabled <> 'D'
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ($schemas) AND NOT g.tgisinternal AND g.tgparentid = 0
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", g.tgname COLLATE "C"
