-- Text search objects.
SELECT 'pg_ts_parser'::regclass::oid, p.oid, n.nspname, p.prsname, NULL, NULL, NULL, NULL,
    json_build_object('is', 'text_search_parser', 'properties', json_strip_nulls(json_build_object(
        'START', p.prsstart::text, 'GETTOKEN', p.prstoken::text, 'END', p.prsend::text,
        'LEXTYPES', p.prslextype::text,
        'HEADLINE', CASE WHEN p.prsheadline <> 0 THEN p.prsheadline::text END)))
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_parser'::regclass AND e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_ts_template'::regclass::oid, t.oid, n.nspname, t.tmplname, NULL, NULL, NULL, NULL,
    json_build_object('is', 'text_search_template', 'properties', json_strip_nulls(json_build_object(
        'INIT', CASE WHEN t.tmplinit <> 0 THEN t.tmplinit::text END, 'LEXIZE', t.tmpllexize::text)))
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_template'::regclass AND e.objid = t.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_ts_dict'::regclass::oid, d.oid, n.nspname, d.dictname, NULL, NULL, NULL, NULL,
    json_build_object('is', 'text_search_dictionary', 'properties',
        (SELECT json_object_agg(p.name, p.value) FROM (
            SELECT 'TEMPLATE' AS name, quote_ident(t_n.nspname) || '.' || quote_ident(t.tmplname) AS value
            UNION ALL
            SELECT o[1], o[2] FROM regexp_matches(d.dictinitoption,
                '("(?:[^"]|"")+"|\w+) = (E?''(?:[^'']|'''')*''|[^,\s]+)', 'g') o) p))
FROM pg_ts_dict d
JOIN pg_namespace n ON n.oid = d.dictnamespace
JOIN pg_ts_template t ON t.oid = d.dicttemplate
JOIN pg_namespace t_n ON t_n.oid = t.tmplnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_dict'::regclass AND e.objid = d.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_ts_config'::regclass::oid, c.oid, n.nspname, c.cfgname, NULL, NULL, NULL, NULL,
    json_build_object('is', 'text_search_config',
        'parser', quote_ident(p_n.nspname) || '.' || quote_ident(p.prsname),
        'mappings', (SELECT coalesce(json_agg(json_build_object('token', m.alias,
                'dictionaries', m.dictionaries) ORDER BY m.alias), '[]')
            FROM (SELECT t.alias, json_agg(x.mapdict::regdictionary::text ORDER BY x.mapseqno) AS dictionaries
                FROM pg_ts_config_map x JOIN ts_token_type(c.cfgparser) t ON t.tokid = x.maptokentype
                WHERE x.mapcfg = c.oid GROUP BY t.alias) m))
FROM pg_ts_config c
JOIN pg_namespace n ON n.oid = c.cfgnamespace
JOIN pg_ts_parser p ON p.oid = c.cfgparser
JOIN pg_namespace p_n ON p_n.oid = p.prsnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_config'::regclass AND e.objid = c.oid AND e.deptype = 'e')
