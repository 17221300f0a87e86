//! Reads what lint needs to know of a target, in two exchanges and without any lock on its tables.

use std::collections::BTreeMap;

use pgfleet_core::lint::{TableFacts, TableSize, TargetOutline};
use pgfleet_core::prisma::ObjectName;

use crate::connect::{Session, SessionError};
use crate::outline::read_outline;

/// Schema, table, rows, bytes, row security, policies, index of the replica identity. Sizes come
/// from the statistics of VACUUM and ANALYZE and from the counters of live rows; of a partitioned
/// table they are the sum of its partitions'. NULL where neither was ever gathered.
const FACTS: &str = "\
    SELECT n.nspname, c.relname, s.row_count, s.bytes, c.relrowsecurity, \
      (SELECT count(*) FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid), i.relname \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_catalog.pg_index x ON x.indrelid = c.oid AND x.indisreplident \
    LEFT JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
    CROSS JOIN LATERAL (\
      SELECT sum(CASE WHEN p.reltuples > 0 OR l.live > 0 \
                      THEN greatest(p.reltuples::pg_catalog.int8, l.live) \
                      WHEN p.reltuples = 0 AND v.num >= 140000 THEN 0 END)::pg_catalog.int8 AS row_count, \
             sum(p.relpages::pg_catalog.int8 * 8192)::pg_catalog.int8 AS bytes \
      FROM (SELECT c.oid AS leaf WHERE c.relkind = 'r' \
            UNION ALL SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) AS t \
            WHERE c.relkind = 'p' AND t.isleaf) AS leaves \
      JOIN pg_catalog.pg_class p ON p.oid = leaves.leaf \
      CROSS JOIN LATERAL (SELECT pg_catalog.pg_stat_get_live_tuples(p.oid) AS live) AS l \
      CROSS JOIN (SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS num) AS v) AS s \
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

/// Reads tables, constraints, indexes, enums, sizes and flags.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn read_target(session: &Session) -> Result<TargetOutline, SessionError> {
    let (outline, rows) =
        futures_util::future::join(read_outline(session), session.query_text(FACTS)).await;
    let tables = rows?.into_iter().filter_map(facts_of).collect::<BTreeMap<_, _>>();
    Ok(TargetOutline { outline: outline?, tables })
}

fn facts_of(row: Vec<Option<String>>) -> Option<(ObjectName, TableFacts)> {
    let mut cells = row.into_iter();
    let [schema, name, rows, bytes, row_security, policies, replica_index] =
        std::array::from_fn(|_| cells.next().flatten());
    let number = |cell: Option<String>| cell.and_then(|text| text.parse::<u64>().ok());
    let size =
        number(rows).map(|rows| TableSize { rows, bytes: number(bytes).unwrap_or_default() });
    let facts = TableFacts {
        size,
        row_security: row_security.as_deref() == Some("t"),
        policies: number(policies).and_then(|n| usize::try_from(n).ok()).unwrap_or_default(),
        replica_index,
    };
    Some((ObjectName { schema: schema?, name: name? }, facts))
}
