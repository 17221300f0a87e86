SELECT pg_catalog.json_build_object(
  'database', d.datname,
  'owner', pg_catalog.pg_get_userbyid(d.datdba),
  'bytes', pg_catalog.pg_database_size(d.oid),
  'locale', pg_catalog.json_build_object(
    'encoding', pg_catalog.pg_encoding_to_char(d.encoding),
    'collate', d.datcollate,
    'ctype', d.datctype,
    'provider', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c'),
    'locale', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale')),
  'comment', pg_catalog.shobj_description(d.oid, 'pg_database'),
  'settings', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'role', r.rolname, 'name', pg_catalog.split_part(c, '=', 1),
        'value', pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1))
      ORDER BY r.rolname NULLS FIRST, c), '[]')
    FROM pg_catalog.pg_db_role_setting s
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
    CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c
    WHERE s.setdatabase = d.oid),
  'grants', CASE WHEN d.datacl IS NOT NULL THEN (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'role', coalesce(r.rolname, 'public'), 'privilege', a.privilege_type, 'grantable', a.is_grantable)
      ORDER BY r.rolname NULLS FIRST, a.privilege_type), '[]')
    FROM pg_catalog.aclexplode(d.datacl) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> d.datdba) END,
  'roles', (
    SELECT coalesce(pg_catalog.json_agg(r.rolname ORDER BY r.rolname), '[]')
    FROM pg_catalog.pg_roles r
    WHERE r.oid = d.datdba OR r.rolname !~ '^pg_' AND (r.oid IN (
      SELECT s.refobjid FROM pg_catalog.pg_shdepend s
      WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
        AND (s.dbid = d.oid OR s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND s.objid = d.oid))
      OR r.oid IN (
      SELECT c.relowner FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
      OR r.oid IN (
      SELECT n.nspowner FROM pg_catalog.pg_namespace n
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'))),
  'schemas', (
    SELECT coalesce(pg_catalog.json_agg(n.nspname ORDER BY n.nspname), '[]')
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
  'sequences', (
    SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'sequence', pg_catalog.quote_ident(s.schemaname) || '.' || pg_catalog.quote_ident(s.sequencename),
        'last_value', s.last_value, 'increment', s.increment_by)
      ORDER BY s.schemaname, s.sequencename), '[]')
    FROM pg_catalog.pg_sequences s
    JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename
    WHERE NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend e
      WHERE e.deptype = 'e' AND e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid))
)::text
FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
