//! How big the real target's relations are, and its statistics on the copy.

use std::collections::BTreeMap;

use pgfleet_core::rehearse::Size;

use super::known::OWN_OR_SYSTEM;
use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::journal::literal;

/// The first version that takes another server's statistics (release notes of PostgreSQL 18).
const STATISTICS_SINCE: u32 = 180_000;

/// Sizes by qualified name.
#[derive(Default)]
pub(super) struct Sizes(BTreeMap<String, Counted>);

struct Counted {
    schema: String,
    name: String,
    is_table: bool,
    size: Size,
    pages: u64,
}

impl Sizes {
    /// Asks the target. Tables are counted with indexes and TOAST, partitioned ones with all
    /// partitions.
    pub(super) async fn read(session: &Session) -> Result<Self, SessionError> {
        let rows = session.query_text(&sizes_sql()).await?;
        let mut sizes = BTreeMap::new();
        for row in rows {
            let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
            let rows = text(5).parse::<f64>().ok().filter(|rows| *rows >= 0.0);
            let counted = Counted {
                schema: text(1),
                name: text(2),
                is_table: matches!(text(3).as_str(), "r" | "m"),
                size: Size {
                    bytes: text(4).parse().unwrap_or(0),
                    rows: rows.map(|rows| rows as u64),
                },
                pages: text(6).parse().unwrap_or(0),
            };
            sizes.insert(text(0), counted);
        }
        Ok(Self(sizes))
    }

    pub(super) fn of(&self, relation: &str) -> Option<Size> {
        self.0.get(relation).map(|counted| counted.size)
    }

    /// Gives the copy's planner the target's numbers, where the copy's server takes them; says what
    /// became of it. Only of tables: the planner multiplies them by the pages that are there.
    pub(super) async fn give_to(
        &self,
        copy: &Target,
        session: &Session,
    ) -> Result<String, Box<pgfleet_core::diagnose::Problem>> {
        let tables: Vec<_> =
            self.0.values().filter(|c| c.is_table && c.size.rows.is_some()).collect();
        if session.server_version_num() < STATISTICS_SINCE {
            return Ok(
                "sizes are the target's estimates; the copy's server takes no statistics of \
                       another (PostgreSQL 18 does)"
                    .to_owned(),
            );
        }
        let sql: String = tables.iter().map(|table| table.restore_sql()).collect();
        if !sql.is_empty() {
            session.batch(&sql).await.map_err(|error| copy.session_problem(&error))?;
        }
        Ok(format!(
            "sizes are the target's estimates, given to the copy for {} tables",
            tables.len()
        ))
    }
}

impl Counted {
    /// A table that the copy lacks is passed over: then the target has just got it.
    fn restore_sql(&self) -> String {
        let (schema, name) = (literal(&self.schema), literal(&self.name));
        format!(
            "SELECT pg_catalog.pg_restore_relation_stats('schemaname', {schema}::text, \
             'relname', {name}::text, 'relpages', {pages}::integer, 'reltuples', {rows}::real) \
             WHERE pg_catalog.to_regclass(pg_catalog.format('%I.%I', {schema}, {name})) IS NOT NULL;\n",
            pages = self.pages,
            rows = self.size.rows.unwrap_or(0),
        )
    }
}

fn sizes_sql() -> String {
    format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), n.nspname, c.relname, c.relkind, \
         CASE c.relkind WHEN 'p' THEN (SELECT pg_catalog.sum(pg_catalog.pg_total_relation_size(t.relid)) \
             FROM pg_catalog.pg_partition_tree(c.oid) t)::bigint \
           WHEN 'r' THEN pg_catalog.pg_total_relation_size(c.oid) \
           WHEN 'm' THEN pg_catalog.pg_total_relation_size(c.oid) \
           WHEN 'i' THEN pg_catalog.pg_relation_size(c.oid) ELSE 0 END, \
         CASE c.relkind WHEN 'p' THEN (SELECT pg_catalog.sum(GREATEST(l.reltuples, 0)) \
             FROM pg_catalog.pg_partition_tree(c.oid) t \
             JOIN pg_catalog.pg_class l ON l.oid = t.relid WHERE t.isleaf) \
           WHEN 'r' THEN c.reltuples WHEN 'm' THEN c.reltuples ELSE -1 END, c.relpages \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm', 'i') AND n.nspname NOT IN {OWN_OR_SYSTEM}"
    )
}
