-- Foreign-data wrappers, servers and user mappings; of the last, no options.
SELECT 'pg_foreign_data_wrapper'::regclass::oid, w.oid, NULL, w.fdwname, NULL, NULL,
    pg_get_userbyid(w.fdwowner), to_json(w.fdwacl::text[]),
    json_build_object('is', 'foreign_data_wrapper',
        'handler', CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regproc::text END,
        'validator', CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regproc::text END,
        'options', (SELECT coalesce(json_agg(json_build_object('name', o.option_name,
            'value', o.option_value) ORDER BY o.option_name), '[]')
            FROM pg_options_to_table(w.fdwoptions) o))
FROM pg_foreign_data_wrapper w
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_data_wrapper'::regclass AND e.objid = w.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_foreign_server'::regclass::oid, s.oid, NULL, s.srvname, NULL, NULL,
    pg_get_userbyid(s.srvowner), to_json(s.srvacl::text[]),
    json_build_object('is', 'foreign_server', 'wrapper', w.fdwname, 'server_type', s.srvtype,
        'server_version', s.srvversion,
        'options', (SELECT coalesce(json_agg(json_build_object('name', o.option_name,
            'value', o.option_value) ORDER BY o.option_name), '[]')
            FROM pg_options_to_table(s.srvoptions) o))
FROM pg_foreign_server s
JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_server'::regclass AND e.objid = s.oid AND e.deptype = 'e')
UNION ALL
SELECT 'pg_user_mapping'::regclass::oid, m.umid, NULL, m.usename || ' ' || m.srvname, NULL, NULL,
    NULL, NULL, json_build_object('is', 'user_mapping', 'role', m.usename, 'server', m.srvname)
FROM pg_user_mappings m
