SELECT pg_catalog.json_build_object(
  'at_s', extract(epoch FROM pg_catalog.clock_timestamp()),
  'server_version_num', pg_catalog.current_setting('server_version_num')::int,
  'connections', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'),
  'connections_here', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity
    WHERE backend_type = 'client backend' AND datname = pg_catalog.current_database()),
  'states', (SELECT coalesce(pg_catalog.json_object_agg(state, n), '{}') FROM (
    SELECT coalesce(state, 'unknown') AS state, pg_catalog.count(*) AS n FROM pg_catalog.pg_stat_activity
    WHERE backend_type = 'client backend' AND datname = pg_catalog.current_database() GROUP BY 1) s),
  'connections_max', pg_catalog.current_setting('max_connections')::int,
  'connections_reserved', pg_catalog.current_setting('superuser_reserved_connections')::int,
  'connections_limit_here', CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END,
  'cache_hit', CASE WHEN b.blks_hit + b.blks_read > 0 THEN b.blks_hit::float8 / (b.blks_hit + b.blks_read) END,
  'commits', b.xact_commit, 'rollbacks', b.xact_rollback, 'deadlocks', b.deadlocks, 'temporary_bytes', b.temp_bytes,
  'oldest_xid_age', pg_catalog.age(d.datfrozenxid),
  'memory', (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', name, 'value', pg_catalog.current_setting(name)) ORDER BY name)
    FROM pg_catalog.pg_settings WHERE name IN ('shared_buffers', 'work_mem', 'maintenance_work_mem', 'effective_cache_size',
      'hash_mem_multiplier', 'autovacuum_work_mem', 'temp_buffers', 'wal_buffers', 'huge_pages')),
  'database_bytes', pg_catalog.pg_database_size(d.oid),
  'tables', (SELECT coalesce(pg_catalog.json_agg(t), '[]') FROM (
    SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS "table",
      pg_catalog.pg_total_relation_size(c.oid) AS bytes,
      coalesce(pg_catalog.pg_stat_get_live_tuples(c.oid), 0) AS live_rows,
      coalesce(pg_catalog.pg_stat_get_dead_tuples(c.oid), 0) AS dead_rows
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ORDER BY c.relpages DESC, bytes DESC LIMIT 200) t),
  'transactions', (SELECT coalesce(pg_catalog.json_agg(a), '[]') FROM (
    SELECT pid, coalesce(usename, '') AS "user", coalesce(application_name, '') AS application,
      extract(epoch FROM pg_catalog.clock_timestamp() - xact_start) AS age_s, coalesce(state, 'unknown') AS state,
      CASE WHEN wait_event_type = 'Lock' THEN wait_event END AS waits_for,
      CASE WHEN wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(pid) ELSE '{}' END AS blocked_by,
      pg_catalog.left(pg_catalog.regexp_replace(query, '\s+', ' ', 'g'), 300) AS query
    FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND xact_start IS NOT NULL
      AND pid <> pg_catalog.pg_backend_pid() AND backend_type <> 'parallel worker'
    ORDER BY xact_start LIMIT 50) a),
  'replicas', (SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_object('name', application_name, 'state', coalesce(state, 'unknown'),
      'lag_bytes', greatest(0, coalesce(pg_catalog.pg_wal_lsn_diff(here.lsn, replay_lsn), 0))::bigint,
      'lag_s', extract(epoch FROM replay_lag))), '[]') FROM pg_catalog.pg_stat_replication),
  'slots', (SELECT coalesce(pg_catalog.json_object_agg(slot_name,
      greatest(0, coalesce(pg_catalog.pg_wal_lsn_diff(here.lsn, restart_lsn), 0))::bigint), '{}')
    FROM pg_catalog.pg_replication_slots WHERE restart_lsn IS NOT NULL),
  'standby_delay_s', CASE WHEN pg_catalog.pg_is_in_recovery() AND pg_catalog.pg_last_wal_receive_lsn() IS DISTINCT FROM pg_catalog.pg_last_wal_replay_lsn()
    THEN extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()) END
)::text
FROM pg_catalog.pg_database d
LEFT JOIN pg_catalog.pg_stat_database b ON b.datid = d.oid
CROSS JOIN (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
  ELSE pg_catalog.pg_current_wal_lsn() END AS lsn) here
WHERE d.datname = pg_catalog.current_database()
