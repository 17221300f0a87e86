//! The servers of a group: what they have room for, which databases are there.

use std::collections::BTreeMap;

use crate::connect::{Session, SessionError};
use crate::tenant::MARK;

/// Sessions that the work on one target takes: one works, one holds the locks.
const SESSIONS_PER_TARGET: usize = 2;

/// The share of a server's connections that a fleet takes at most: one in this many.
const SHARE: usize = 4;

/// Targets of one server that are worked on at the same time, unless somebody says otherwise.
pub(super) const CONCURRENCY: usize = 4;

/// A server of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Hosts and ports.
    pub label: String,
    /// Targets that are worked on at the same time.
    pub limit: usize,
}

/// What a server says of itself.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerFacts {
    /// Connections that are not reserved for superusers.
    pub(super) connections: usize,
    /// Databases that are no templates, and whether they allow connections.
    pub(super) databases: BTreeMap<String, bool>,
    /// Schemas of the connected database that are not the system's, nor half made.
    pub(super) schemas: Vec<String>,
}

/// Asks a server; one round trip.
pub(super) async fn read_server(session: &Session) -> Result<ServerFacts, SessionError> {
    let rows = session
        .query_text(&format!(
            "SELECT 'c', (pg_catalog.current_setting('max_connections')::int \
             - pg_catalog.current_setting('superuser_reserved_connections')::int)::text, NULL \
             UNION ALL SELECT 'd', datname::text, datallowconn::text FROM pg_catalog.pg_database \
             WHERE NOT datistemplate \
             UNION ALL SELECT 's', nspname::text, NULL FROM pg_catalog.pg_namespace \
             WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \
             AND NOT pg_catalog.starts_with(\
             coalesce(pg_catalog.obj_description(oid, 'pg_namespace'), ''), '{MARK}')",
        ))
        .await?;
    let mut facts = ServerFacts::default();
    for row in rows {
        let [Some(kind), Some(value), allows] = row.as_slice() else { continue };
        match kind.as_str() {
            "c" => facts.connections = value.parse().unwrap_or(0),
            "d" => {
                let allows = allows.as_deref() == Some("true");
                facts.databases.insert(value.clone(), allows);
            }
            _ => facts.schemas.push(value.clone()),
        }
    }
    facts.schemas.sort();
    Ok(facts)
}

/// How many targets are worked on at the same time, of what was asked for and what the server has
/// room for; without facts, what was asked for.
pub(super) fn limit(asked: usize, connections: Option<usize>) -> usize {
    let room = connections.map_or(asked, |all| all / SHARE / SESSIONS_PER_TARGET);
    asked.min(room.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_keeps_three_quarters_of_its_connections() {
        assert_eq!(limit(4, Some(97)), 4);
        assert_eq!(limit(100, Some(97)), 12);
        assert_eq!(limit(4, Some(10)), 1);
        assert_eq!(limit(4, Some(0)), 1);
        assert_eq!(limit(9, None), 9);
    }
}
