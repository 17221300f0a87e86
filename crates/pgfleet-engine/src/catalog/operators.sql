-- Operators, operator families and classes, casts.
WITH members(refclass, refobj, member) AS (
    SELECT d.refclassid, d.refobjid, format('OPERATOR %s %s', a.amopstrategy,
        -- The operator with its operands, as a regoperator is written.
        a.amopopr::regoperator) || CASE WHEN a.amopsortfamily <> 0 THEN ' FOR ORDER BY '
        || (SELECT quote_ident(n.nspname) || '.' || quote_ident(f.opfname) FROM pg_opfamily f
            JOIN pg_namespace n ON n.oid = f.opfnamespace WHERE f.oid = a.amopsortfamily)
        ELSE '' END
    FROM pg_amop a
    JOIN pg_depend d ON d.classid = 'pg_amop'::regclass AND d.objid = a.oid
        AND d.refclassid IN ('pg_opfamily'::regclass, 'pg_opclass'::regclass)
    WHERE a.oid >= 16384
    UNION ALL
    SELECT d.refclassid, d.refobjid, format('FUNCTION %s (%s, %s) %s', p.amprocnum,
        format_type(p.amproclefttype, NULL), format_type(p.amprocrighttype, NULL),
        p.amproc::regprocedure)
    FROM pg_amproc p
    JOIN pg_depend d ON d.classid = 'pg_amproc'::regclass AND d.objid = p.oid
        AND d.refclassid IN ('pg_opfamily'::regclass, 'pg_opclass'::regclass)
    WHERE p.oid >= 16384
)
SELECT 'pg_operator'::regclass::oid, o.oid, n.nspname, o.oprname, NULL,
    CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END || ', '
        || CASE WHEN o.oprright = 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END,
    NULL, NULL,
    json_build_object('is', 'operator', 'properties', json_strip_nulls(json_build_object(
        'LEFTARG', CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END,
        'RIGHTARG', CASE WHEN o.oprright <> 0 THEN format_type(o.oprright, NULL) END,
        'PROCEDURE', o.oprcode::text,
        'COMMUTATOR', CASE WHEN o.oprcom <> 0 THEN (SELECT 'OPERATOR(' || quote_ident(m.nspname)
            || '.' || c.oprname || ')' FROM pg_operator c
            JOIN pg_namespace m ON m.oid = c.oprnamespace WHERE c.oid = o.oprcom) END,
        'NEGATOR', CASE WHEN o.oprnegate <> 0 THEN (SELECT 'OPERATOR(' || quote_ident(m.nspname)
            || '.' || c.oprname || ')' FROM pg_operator c
            JOIN pg_namespace m ON m.oid = c.oprnamespace WHERE c.oid = o.oprnegate) END,
        'RESTRICT', CASE WHEN o.oprrest <> 0 THEN o.oprrest::text END,
        'JOIN', CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::text END,
        'HASHES', CASE WHEN o.oprcanhash THEN '' END,
        'MERGES', CASE WHEN o.oprcanmerge THEN '' END)))
FROM pg_operator o
JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE o.oprcode <> 0 AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_operator'::regclass AND e.objid = o.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_opfamily'::regclass::oid, f.oid, n.nspname, f.opfname, NULL, m.amname, NULL, NULL,
    json_build_object('is', 'operator_family', 'members', coalesce((SELECT json_agg(member ORDER BY member)
        FROM members WHERE refclass = 'pg_opfamily'::regclass AND refobj = f.oid), '[]'))
FROM pg_opfamily f
JOIN pg_namespace n ON n.oid = f.opfnamespace
JOIN pg_am m ON m.oid = f.opfmethod
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_opfamily'::regclass AND e.objid = f.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_opclass'::regclass::oid, c.oid, n.nspname, c.opcname, NULL, m.amname, NULL, NULL,
    json_build_object('is', 'operator_class', 'default', c.opcdefault,
        'type', format_type(c.opcintype, NULL),
        'family', quote_ident(f_n.nspname) || '.' || quote_ident(f.opfname),
        'storage', CASE WHEN c.opckeytype <> 0 THEN format_type(c.opckeytype, NULL) END,
        'members', coalesce((SELECT json_agg(member ORDER BY member)
            FROM members WHERE refclass = 'pg_opclass'::regclass AND refobj = c.oid), '[]'))
FROM pg_opclass c
JOIN pg_namespace n ON n.oid = c.opcnamespace
JOIN pg_am m ON m.oid = c.opcmethod
JOIN pg_opfamily f ON f.oid = c.opcfamily
JOIN pg_namespace f_n ON f_n.oid = f.opfnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_opclass'::regclass AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_cast'::regclass::oid, c.oid, NULL,
    format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL), NULL, NULL,
    NULL, NULL,
    json_build_object('is', 'cast',
        'method', CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure::text
            WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END,
        'context', CASE c.castcontext WHEN 'a' THEN 'AS ASSIGNMENT' WHEN 'i' THEN 'AS IMPLICIT'
            ELSE '' END)
FROM pg_cast c
WHERE c.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_cast'::regclass AND e.objid = c.oid AND e.deptype IN ('e', 'i'))
