//! The servers of a group: what they have room for, which databases are there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::connect::{Session, SessionError};
use crate::tenant::MARK;

/// Sessions that the work on one target takes: one works, one holds the locks.
const SESSIONS_PER_TARGET: usize = 2;

/// The share of a server's connections that a fleet takes at most: one in this many.
const SHARE: usize = 4;

/// Targets of a near server that are worked on at the same time, unless somebody says otherwise.
const CONCURRENCY: usize = 4;

/// The round trip from which on a server is far.
const FAR: Duration = Duration::from_millis(1);

/// How often a server that seems far is asked again.
const SECOND_LOOKS: usize = 3;

/// The most of a far server that nobody asked for.
const CONCURRENCY_MAX: usize = 32;

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
    /// What a question waits for besides the server's work on it.
    pub(super) round_trip: Duration,
}

/// Asks a server: one round trip, and a few more where they take long.
pub(super) async fn read_server(session: &Session) -> Result<ServerFacts, SessionError> {
    let asked = Instant::now();
    let rows = session
        .query_text(&format!(
            "SELECT 'c', (pg_catalog.current_setting('max_connections')::int \
             - pg_catalog.current_setting('superuser_reserved_connections')::int)::text, NULL \
             UNION ALL SELECT 'd', datname::text, datallowconn::text FROM pg_catalog.pg_database \
             WHERE NOT datistemplate \
             UNION ALL SELECT 's', nspname::text, NULL FROM pg_catalog.pg_namespace \
             WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' \
             AND NOT pg_catalog.starts_with(\
             coalesce(pg_catalog.obj_description(oid, 'pg_namespace'), ''), '{MARK}') \
             UNION ALL SELECT 'w', extract(epoch FROM \
             pg_catalog.clock_timestamp() - pg_catalog.statement_timestamp())::text, NULL",
        ))
        .await?;
    let mut facts = ServerFacts { round_trip: asked.elapsed(), ..ServerFacts::default() };
    for row in rows {
        let [Some(kind), Some(value), allows] = row.as_slice() else { continue };
        match kind.as_str() {
            "c" => facts.connections = value.parse().unwrap_or(0),
            "d" => {
                let allows = allows.as_deref() == Some("true");
                facts.databases.insert(value.clone(), allows);
            }
            "w" => {
                let work = value.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
                facts.round_trip = facts.round_trip.saturating_sub(work.unwrap_or_default());
            }
            _ => facts.schemas.push(value.clone()),
        }
    }
    facts.schemas.sort();
    facts.round_trip = least(session, facts.round_trip).await?;
    Ok(facts)
}

/// A near server that was busy looks like a far one: what seems far is asked again, and the least counts.
async fn least(session: &Session, first: Duration) -> Result<Duration, SessionError> {
    let mut least = first;
    for _ in 0..SECOND_LOOKS {
        if least < FAR {
            break;
        }
        let asked = Instant::now();
        session.query_text("SELECT").await?;
        least = least.min(asked.elapsed());
    }
    Ok(least)
}

/// How many targets are worked on at the same time, of what was asked for and what the server has
/// room for.
///
/// Where nobody asked: four, and one more for each millisecond of a round trip, during which the server
/// has nothing of a target to do.
pub(super) fn limit(asked: Option<usize>, facts: Option<&ServerFacts>) -> usize {
    let waits = facts.map_or(0, |facts| facts.round_trip.as_millis());
    let waits = usize::try_from(waits).unwrap_or(CONCURRENCY_MAX);
    let asked = asked.unwrap_or(CONCURRENCY.saturating_add(waits).min(CONCURRENCY_MAX));
    let room = facts.map_or(asked, |facts| facts.connections / SHARE / SESSIONS_PER_TARGET);
    asked.min(room.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(connections: usize, round_trip_us: u64) -> ServerFacts {
        let round_trip = Duration::from_micros(round_trip_us);
        ServerFacts { connections, round_trip, ..ServerFacts::default() }
    }

    #[test]
    fn a_server_keeps_three_quarters_of_its_connections() {
        assert_eq!(limit(None, Some(&server(97, 80))), 4);
        assert_eq!(limit(Some(100), Some(&server(97, 80))), 12);
        assert_eq!(limit(None, Some(&server(10, 80))), 1);
        assert_eq!(limit(None, Some(&server(0, 80))), 1);
        assert_eq!(limit(Some(9), None), 9);
        assert_eq!(limit(None, None), 4);
    }

    #[test]
    fn more_are_worked_on_where_each_waits_for_the_way() {
        assert_eq!(limit(None, Some(&server(997, 1_200))), 5);
        assert_eq!(limit(None, Some(&server(997, 20_300))), 24);
        assert_eq!(limit(None, Some(&server(997, 900_000))), 32);
        assert_eq!(limit(None, Some(&server(97, 20_300))), 12);
        assert_eq!(limit(Some(2), Some(&server(997, 20_300))), 2);
    }
}
