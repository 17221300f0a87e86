-- Collations, extended statistics, publications and default privileges.
SELECT 'pg_collation'::regclass::oid, c.oid, n.nspname, c.collname, NULL, NULL, NULL::name,
    NULL::json,
    json_build_object('is', 'collation', 'properties', json_strip_nulls(json_build_object(
        'PROVIDER', CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
        'LOCALE', CASE WHEN c.collprovider <> 'c' THEN quote_literal(coalesce(
            to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate)) END,
        'LC_COLLATE', CASE c.collprovider WHEN 'c' THEN quote_literal(c.collcollate) END,
        'LC_CTYPE', CASE c.collprovider WHEN 'c' THEN quote_literal(c.collctype) END,
        'RULES', quote_literal(to_jsonb(c) ->> 'collicurules'),
        'DETERMINISTIC', CASE WHEN NOT c.collisdeterministic THEN 'false' END)))
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_collation'::regclass AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_statistic_ext'::regclass::oid, s.oid, n.nspname, s.stxname, NULL, NULL, NULL,
    NULL,
    json_build_object('is', 'statistics', 'definition', pg_get_statisticsobjdef(s.oid),
        'target', CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END)
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_statistic_ext'::regclass AND e.objid = s.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_publication'::regclass::oid, p.oid, NULL, p.pubname, NULL, NULL, NULL,
    NULL,
    json_build_object('is', 'publication', 'all_tables', p.puballtables, 'via_root', p.pubviaroot,
        'publish', (SELECT json_agg(o.name ORDER BY o.at) FROM (VALUES (1, 'insert', p.pubinsert),
            (2, 'update', p.pubupdate), (3, 'delete', p.pubdelete), (4, 'truncate', p.pubtruncate))
            o(at, name, is_on) WHERE o.is_on),
        'tables', (SELECT coalesce(json_agg(json_build_object('table', r.prrelid::regclass::text
/*>=15*/    , 'columns', (SELECT coalesce(json_agg(a.attname ORDER BY a.attname), '[]') FROM pg_attribute a
/*>=15*/        WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))
/*>=15*/    , 'condition', pg_get_expr(r.prqual, r.prrelid)
            ) ORDER BY r.prrelid::regclass::text), '[]') FROM pg_publication_rel r WHERE r.prpubid = p.oid)
/*>=15*/ , 'schemas', (SELECT coalesce(json_agg(s.nspname ORDER BY s.nspname), '[]')
/*>=15*/    FROM pg_publication_namespace m JOIN pg_namespace s ON s.oid = m.pnnspid WHERE m.pnpubid = p.oid)
    )
FROM pg_publication p
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_publication'::regclass AND e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_default_acl'::regclass::oid, d.oid, n.nspname,
    pg_get_userbyid(d.defaclrole) || ' ' || o.name, NULL, NULL, pg_get_userbyid(d.defaclrole),
    to_json(d.defaclacl::text[]),
    json_build_object('is', 'default_privileges', 'role', pg_get_userbyid(d.defaclrole),
        'on', o.name, 'schema', n.nspname)
FROM pg_default_acl d
JOIN (VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), ('T', 'TYPES'),
    ('n', 'SCHEMAS'), ('L', 'LARGE OBJECTS')) o(letter, name) ON o.letter = d.defaclobjtype::text
LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
