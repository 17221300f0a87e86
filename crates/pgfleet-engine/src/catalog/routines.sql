-- Functions, procedures and aggregates.
SELECT 'pg_proc'::regclass::oid, p.oid, n.nspname, p.proname, NULL,
    (SELECT string_agg(format_type(t.type, NULL), ', ' ORDER BY t.at)
        FROM unnest(p.proargtypes) WITH ORDINALITY t(type, at)),
    pg_get_userbyid(p.proowner), to_json(coalesce(p.proacl, acldefault('f', p.proowner))::text[]),
    CASE p.prokind WHEN 'a' THEN json_build_object('is', 'aggregate',
        'arguments', coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'),
        'properties', json_strip_nulls(json_build_object(
            'SFUNC', a.aggtransfn::regproc::text,
            'STYPE', format_type(a.aggtranstype, NULL),
            'SSPACE', nullif(a.aggtransspace, 0)::text,
            'FINALFUNC', CASE WHEN a.aggfinalfn <> 0 THEN a.aggfinalfn::regproc::text END,
            'FINALFUNC_EXTRA', CASE WHEN a.aggfinalextra THEN '' END,
            'FINALFUNC_MODIFY', CASE WHEN a.aggfinalfn <> 0 THEN CASE a.aggfinalmodify
                WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
            'COMBINEFUNC', CASE WHEN a.aggcombinefn <> 0 THEN a.aggcombinefn::regproc::text END,
            'SERIALFUNC', CASE WHEN a.aggserialfn <> 0 THEN a.aggserialfn::regproc::text END,
            'DESERIALFUNC', CASE WHEN a.aggdeserialfn <> 0 THEN a.aggdeserialfn::regproc::text END,
            'INITCOND', quote_literal(a.agginitval),
            'MSFUNC', CASE WHEN a.aggmtransfn <> 0 THEN a.aggmtransfn::regproc::text END,
            'MINVFUNC', CASE WHEN a.aggminvtransfn <> 0 THEN a.aggminvtransfn::regproc::text END,
            'MSTYPE', CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END,
            'MSSPACE', nullif(a.aggmtransspace, 0)::text,
            'MFINALFUNC', CASE WHEN a.aggmfinalfn <> 0 THEN a.aggmfinalfn::regproc::text END,
            'MFINALFUNC_EXTRA', CASE WHEN a.aggmfinalextra THEN '' END,
            'MFINALFUNC_MODIFY', CASE WHEN a.aggmfinalfn <> 0 THEN CASE a.aggmfinalmodify
                WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END END,
            'MINITCOND', quote_literal(a.aggminitval),
            'SORTOP', CASE WHEN a.aggsortop <> 0 THEN (SELECT 'OPERATOR(' || quote_ident(o_n.nspname)
                || '.' || o.oprname || ')' FROM pg_operator o
                JOIN pg_namespace o_n ON o_n.oid = o.oprnamespace WHERE o.oid = a.aggsortop) END,
            'PARALLEL', CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END,
            'HYPOTHETICAL', CASE WHEN a.aggkind = 'h' THEN '' END)))
    ELSE json_build_object('is', 'routine', 'procedure', p.prokind = 'p',
        'definition', pg_get_functiondef(p.oid),
        'arguments', pg_get_function_identity_arguments(p.oid),
        'defaults', p.pronargdefaults,
        'result', pg_get_function_result(p.oid))
    END
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
    AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_proc'::regclass
        AND i.objid = p.oid AND i.deptype = 'i')
