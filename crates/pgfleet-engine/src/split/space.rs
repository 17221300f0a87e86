//! Looks what a split needs of the servers' disks, and what they have where it can be seen.

use std::path::Path;

use pgfleet_core::split::{FreeSpace, Mapped, Space};

use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::disk::free_bytes;
use crate::fleet::server_key;
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
        let server = server_key(&family.target.spec);
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
    if !target.spec.is_local() {
        return None;
    }
    let session = target.with_database("postgres").connect().await.ok()?;
    let rows = session.query_text("SHOW data_directory").await;
    session.close().await;
    let folder = cell(rows.ok()?.first()?, 0);
    let bytes = free_bytes(Path::new(&folder))?;
    Some(FreeSpace { folder, bytes })
}
