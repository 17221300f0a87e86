//! Relations that are there before the plan, and what a session holds of them.
//!
//! Invariant: relations are told by their numbers, so that one that is renamed, or dropped and made
//! anew under its name, is what it is.

use std::collections::BTreeMap;

use pgfleet_core::rehearse::Touched;
use pgfleet_sql::LockMode;

use super::sizes::Sizes;
use crate::connect::{Session, SessionError};

/// Schemas that hold nobody's tables.
pub(super) const OWN_OR_SYSTEM: &str =
    "('pg_catalog', 'information_schema', 'pg_toast', 'pgfleet')";

/// The relations of the copy before anything ran.
pub(super) struct Known {
    relations: BTreeMap<u32, Relation>,
}

struct Relation {
    name: String,
    kind: Kind,
    /// Changes when the relation is written anew.
    file: u32,
    /// Scans that the session counted when it last looked.
    scans: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind(u8);

impl Kind {
    fn word(self) -> &'static str {
        match self.0 {
            b'r' | b'p' => "table",
            b'm' => "materialized view",
            b'v' => "view",
            b'S' => "sequence",
            b'f' => "foreign table",
            _ => "index",
        }
    }

    fn is_index(self) -> bool {
        self.word() == "index"
    }
}

/// What a session holds, and the files of what it holds, at one moment.
#[derive(Default, Clone)]
pub(super) struct Held(BTreeMap<u32, HeldRelation>);

#[derive(Clone, Copy)]
struct HeldRelation {
    lock: LockMode,
    /// None when the relation is gone.
    file: Option<u32>,
    /// Scans in this transaction.
    scans: u64,
}

/// Strongest locks, files and scans of what this session has locked.
const OWN_LOCKS: &str = "SELECT l.relation, l.mode, c.relfilenode, \
     pg_catalog.pg_stat_get_xact_numscans(c.oid) \
     FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation \
     WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_catalog.pg_backend_pid() \
     AND l.relation >= 16384";

impl Known {
    pub(super) async fn read(session: &Session) -> Result<Self, SessionError> {
        let sql = format!(
            "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind, c.relfilenode \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f', 'i', 'I') \
             AND n.nspname NOT IN {OWN_OR_SYSTEM}"
        );
        let rows = session.query_text(&sql).await?;
        let relation = |row: Vec<Option<String>>| {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let oid = cells.next()?.parse().ok()?;
            let (name, kind) = (cells.next()?, Kind(*cells.next()?.as_bytes().first()?));
            let file = cells.next()?.parse().ok()?;
            Some((oid, Relation { name, kind, file, scans: 0 }))
        };
        Ok(Self { relations: rows.into_iter().filter_map(relation).collect() })
    }

    /// What happened between two looks of a session at itself.
    pub(super) fn touched(&mut self, before: &Held, after: &Held, sizes: &Sizes) -> Vec<Touched> {
        let mut touched = Vec::new();
        for (oid, now) in &after.0 {
            let Some(relation) = self.relations.get_mut(oid) else { continue };
            let held_before = before.0.get(oid).is_some_and(|then| then.lock >= now.lock);
            let rewritten = now.file.is_some_and(|file| file != relation.file);
            let scanned = relation.has_scanned(now.scans);
            relation.file = now.file.unwrap_or(relation.file);
            let one = relation.touched(sizes, Some(now.lock), rewritten, scanned);
            touched.push(Touched { held_before, ..one });
        }
        in_order(touched)
    }

    /// The files as they are now, after something that is not to be seen.
    pub(super) fn catch_up(&mut self, files: &BTreeMap<u32, u32>) {
        for (oid, relation) in &mut self.relations {
            relation.file = files.get(oid).copied().unwrap_or(relation.file);
        }
    }

    /// The server has told others what it counted, and counts from nothing.
    pub(super) fn forget_scans(&mut self) {
        self.relations.values_mut().for_each(|relation| relation.scans = 0);
    }

    /// What a second session saw, and which files are others now.
    pub(super) fn watched(
        &mut self,
        seen: &BTreeMap<u32, LockMode>,
        files: &BTreeMap<u32, u32>,
        sizes: &Sizes,
    ) -> Vec<Touched> {
        let mut touched = Vec::new();
        for (oid, relation) in &mut self.relations {
            let file = files.get(oid).copied().unwrap_or(relation.file);
            let rewritten = file != relation.file;
            relation.file = file;
            touched.push(relation.touched(sizes, seen.get(oid).copied(), rewritten, false));
        }
        in_order(touched)
    }
}

impl Relation {
    /// The server counts on from transaction to transaction, and from nothing once it has told
    /// others what it counted.
    fn has_scanned(&mut self, scans: u64) -> bool {
        let before = std::mem::replace(&mut self.scans, scans);
        scans > before || (scans < before && scans > 0)
    }

    fn touched(
        &self,
        sizes: &Sizes,
        lock: Option<LockMode>,
        rewritten: bool,
        scanned: bool,
    ) -> Touched {
        Touched {
            relation: self.name.clone(),
            kind: self.kind.word().to_owned(),
            lock: lock.filter(|lock| !self.kind.is_index() && *lock > LockMode::AccessShare),
            held_before: false,
            rewritten,
            scanned: scanned && !self.kind.is_index(),
            size: sizes.of(&self.name),
        }
    }
}

/// Strongest first; what was only read or looked up is left out, and indexes that are written anew
/// with their table.
fn in_order(mut touched: Vec<Touched>) -> Vec<Touched> {
    let with_table = touched.iter().any(|one| one.rewritten && one.kind != "index");
    touched.retain(|one| match one.kind.as_str() {
        "index" => one.rewritten && !with_table,
        _ => one.rewritten || one.scanned || one.new_lock().is_some(),
    });
    touched.sort_by(|a, b| {
        (b.lock, b.rewritten, b.scanned)
            .cmp(&(a.lock, a.rewritten, a.scanned))
            .then_with(|| a.relation.cmp(&b.relation))
    });
    touched
}

impl Held {
    /// What the session itself holds in its open transaction.
    pub(super) async fn own(session: &Session) -> Result<Self, SessionError> {
        let mut held = Self::default();
        for row in session.query_text(OWN_LOCKS).await? {
            let number = |at: usize| row.get(at)?.as_deref()?.parse::<u64>().ok();
            let mode = row.get(1).and_then(|mode| LockMode::parse(mode.as_deref()?));
            let (Some(oid), Some(lock)) = (number(0), mode) else { continue };
            let file = number(2).and_then(|file| u32::try_from(file).ok());
            let now = HeldRelation { lock, file, scans: number(3).unwrap_or(0) };
            let oid = u32::try_from(oid).unwrap_or_default();
            let entry = held.0.entry(oid).or_insert(now);
            entry.lock = entry.lock.max(lock);
        }
        Ok(held)
    }
}

/// The locks that another session holds or waits for now.
pub(super) async fn locks_of(
    watcher: &Session,
    pid: i32,
) -> Result<Vec<(u32, LockMode)>, SessionError> {
    let sql = format!(
        "SELECT relation, mode FROM pg_catalog.pg_locks WHERE locktype = 'relation' \
         AND pid = {pid} AND relation >= 16384"
    );
    let rows = watcher.query_text(&sql).await?;
    let lock = |row: Vec<Option<String>>| {
        let oid = row.first()?.as_deref()?.parse().ok()?;
        Some((oid, LockMode::parse(row.get(1)?.as_deref()?)?))
    };
    Ok(rows.into_iter().filter_map(lock).collect())
}

/// The file of every relation, as committed.
pub(super) async fn files(session: &Session) -> Result<BTreeMap<u32, u32>, SessionError> {
    let sql = "SELECT oid, relfilenode FROM pg_catalog.pg_class WHERE oid >= 16384";
    let number = |row: &[Option<String>], at: usize| row.get(at)?.as_deref()?.parse().ok();
    let rows = session.query_text(sql).await?;
    Ok(rows.iter().filter_map(|row| Some((number(row, 0)?, number(row, 1)?))).collect())
}
