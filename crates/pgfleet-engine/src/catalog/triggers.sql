-- Triggers, event triggers, rules and policies. Triggers of partitions that come from their
-- partitioned table are part of that table's.
SELECT 'pg_trigger'::regclass::oid, t.oid, n.nspname, t.tgname, c.relname, NULL, NULL, NULL,
    json_build_object('is', 'trigger', 'definition', pg_get_triggerdef(t.oid),
        'constraint', t.tgconstraint <> 0,
        'firing', CASE t.tgenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
            WHEN 'R' THEN 'replica' ELSE 'always' END)
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_trigger'::regclass AND e.objid = t.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_event_trigger'::regclass::oid, t.oid, NULL, t.evtname, NULL, NULL, NULL, NULL,
    json_build_object('is', 'event_trigger', 'event', t.evtevent,
        'tags', (SELECT coalesce(json_agg(tag ORDER BY tag), '[]') FROM unnest(t.evttags) tag),
        'function', t.evtfoid::regproc::text,
        'firing', CASE t.evtenabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
            WHEN 'R' THEN 'replica' ELSE 'always' END)
FROM pg_event_trigger t
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_event_trigger'::regclass AND e.objid = t.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_rewrite'::regclass::oid, r.oid, n.nspname, r.rulename, c.relname, NULL, NULL, NULL,
    json_build_object('is', 'rule', 'definition', pg_get_ruledef(r.oid),
        'firing', CASE r.ev_enabled WHEN 'O' THEN 'origin' WHEN 'D' THEN 'disabled'
            WHEN 'R' THEN 'replica' ELSE 'always' END)
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_rewrite'::regclass AND e.objid = r.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_policy'::regclass::oid, p.oid, n.nspname, p.polname, c.relname, NULL, NULL, NULL,
    json_build_object('is', 'policy', 'permissive', p.polpermissive,
        'command', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
            WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        'roles', CASE WHEN p.polroles = '{0}' THEN json_build_array('public') ELSE
            (SELECT json_agg(pg_get_userbyid(r) ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) r) END,
        'using', pg_get_expr(p.polqual, p.polrelid),
        'check', pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_policy'::regclass AND e.objid = p.oid AND e.deptype = 'e')
