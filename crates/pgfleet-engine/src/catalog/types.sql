-- Enums, domains, composite types and ranges.
SELECT 'pg_type'::regclass::oid, t.oid, n.nspname, t.typname, NULL, NULL,
    pg_get_userbyid(t.typowner), to_json(coalesce(t.typacl, acldefault('T', t.typowner))::text[]),
    CASE t.typtype
    WHEN 'e' THEN json_build_object('is', 'enum', 'labels',
        (SELECT coalesce(json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]')
            FROM pg_enum e WHERE e.enumtypid = t.oid))
    WHEN 'd' THEN json_build_object('is', 'domain',
        'base', format_type(t.typbasetype, t.typtypmod), 'not_null', t.typnotnull,
        'default', coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault),
        'collation', CASE WHEN t.typcollation <> b.typcollation
            THEN t.typcollation::regcollation::text END,
        'constraints', (SELECT coalesce(json_agg(json_build_object(
                'name', k.conname, 'definition', pg_get_constraintdef(k.oid))
                ORDER BY k.conname), '[]')
            FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
    WHEN 'c' THEN json_build_object('is', 'composite', 'attributes',
        (SELECT coalesce(json_agg(json_build_object('name', a.attname,
                'type', format_type(a.atttypid, a.atttypmod),
                'collation', CASE WHEN a.attcollation <> y.typcollation
                    THEN a.attcollation::regcollation::text END) ORDER BY a.attnum), '[]')
            FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
    WHEN 'r' THEN json_build_object('is', 'range', 'properties', json_strip_nulls(json_build_object(
        'SUBTYPE', format_type(r.rngsubtype, NULL),
        'SUBTYPE_OPCLASS', quote_ident(o_n.nspname) || '.' || quote_ident(o.opcname),
        'COLLATION', CASE WHEN r.rngcollation <> 0 THEN r.rngcollation::regcollation::text END,
        'CANONICAL', CASE WHEN r.rngcanonical <> 0 THEN r.rngcanonical::regproc::text END,
        'SUBTYPE_DIFF', CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::regproc::text END,
        'MULTIRANGE_TYPE_NAME', format_type(r.rngmultitypid, NULL))),
        'constructors', (SELECT format('%I.%I', p_n.nspname, p.proname)
            FROM pg_proc p JOIN pg_namespace p_n ON p_n.oid = p.pronamespace
            WHERE p.prosrc = 'range_constructor2' AND p.prorettype = t.oid
                AND (p.pronamespace, p.proname) <> (t.typnamespace, t.typname)),
        'multirange_constructors', (SELECT format('%I.%I', p_n.nspname, p.proname)
            FROM pg_proc p JOIN pg_namespace p_n ON p_n.oid = p.pronamespace
            JOIN pg_type m ON m.oid = p.prorettype
            WHERE p.prosrc = 'multirange_constructor0' AND m.oid = r.rngmultitypid
                AND (p.pronamespace, p.proname) <> (m.typnamespace, m.typname)))
    END
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_class c ON c.oid = t.typrelid
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc
LEFT JOIN pg_namespace o_n ON o_n.oid = o.opcnamespace
WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
