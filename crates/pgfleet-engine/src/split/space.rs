//! Looks what a split needs of the servers' disks, and what they have where it can be seen.

use pgfleet_core::split::{FreeSpace, Mapped, Space};

use crate::conduct::Target;
use crate::connect::{Host, Session, SessionError};
use crate::journal::literal;

use super::Split;
use super::journal::cell;

/// What each server needs and has.
pub(super) async fn look(
    split: &Split,
    source: &Session,
    mapped: &Mapped,
) -> Result<Vec<Space>, SessionError> {
    let mut spaces: Vec<Space> = Vec::new();
    for family in &split.families {
        let needed_bytes = needed(source, mapped, &family.name).await?;
        let server = server(&family.target);
        match spaces.iter_mut().find(|space| space.server == server) {
            Some(space) => space.needed_bytes += needed_bytes,
            None => {
                let free = free(&family.target).await;
                spaces.push(Space { server, needed_bytes, free });
            }
        }
    }
    Ok(spaces)
}

fn server(target: &Target) -> String {
    let labels: Vec<_> = target.spec.endpoints.iter().map(|endpoint| endpoint.label()).collect();
    labels.join(",")
}

/// The tables' size in the source, with indexes and TOAST; of partitioned ones, their partitions'.
async fn needed(source: &Session, mapped: &Mapped, family: &str) -> Result<u64, SessionError> {
    let tables = mapped.sources.iter().filter(|(into, _)| into.family == family);
    let tables: Vec<_> = tables.map(|(_, from)| literal(&from.to_string())).collect();
    let sql = format!(
        "SELECT coalesce(pg_catalog.sum(pg_catalog.pg_total_relation_size(coalesce(p.relid, t.oid))), 0)::bigint \
         FROM pg_catalog.unnest(ARRAY[{}]::pg_catalog.regclass[]) t (oid) \
         LEFT JOIN LATERAL pg_catalog.pg_partition_tree(t.oid) p ON true",
        tables.join(", ")
    );
    let rows = source.query_text(&sql).await?;
    Ok(rows.first().and_then(|row| cell(row, 0).parse().ok()).unwrap_or_default())
}

/// Only a server on this machine lets its disk be seen, and only to roles that may know where its
/// files are (`pg_read_all_settings`).
async fn free(target: &Target) -> Option<FreeSpace> {
    if !target.spec.endpoints.iter().all(|endpoint| is_here(&endpoint.host)) {
        return None;
    }
    let session = target.with_database("postgres").connect().await.ok()?;
    let rows = session.query_text("SHOW data_directory").await;
    session.close().await;
    let folder = cell(rows.ok()?.first()?, 0);
    let disk = rustix::fs::statvfs(folder.as_str()).ok()?;
    Some(FreeSpace { folder, bytes: disk.f_bavail.saturating_mul(disk.f_frsize) })
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
    }
}
