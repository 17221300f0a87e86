//! Says what a statement does without running it.
//!
//! Invariant: any text gives facts; what is not recognised has the kind [`Kind::Other`]. Lock modes
//! are those of "Explicit Locking" and of each command's page in PostgreSQL's documentation, and of
//! `AlterTableGetLockLevel` in src/backend/commands/tablecmds.c.

mod alter;
pub(crate) mod alter_table;
mod create;
pub(crate) mod create_table;
mod demand;
mod drop;
mod facts;
mod maintenance;
mod object;
mod relations;
mod rows;
mod session;

pub use alter::{RenamedPart, renamed_part};
pub use demand::{Demand, Rule, demands};
pub use facts::{
    ColumnDecl, DataLoss, Facts, Kind, LockMode, LockUse, ObjectKind, ObjectRef, Rename, Rerun,
    Severity, Transaction,
};

use crate::cursor::{Cursor, Tokens};
use crate::name::QualifiedName;

/// Classifies one statement, with or without its semicolon. Comments around it do no harm.
#[must_use]
pub fn classify(statement: &str) -> Facts {
    let tokens = Tokens::new(statement);
    let mut facts = Facts::default();
    read(tokens.cursor(), &mut facts);
    facts.locks.sort_by(|a, b| b.mode.cmp(&a.mode).then_with(|| a.relation.cmp(&b.relation)));
    facts.locks.dedup();
    facts
}

fn read(cursor: Cursor<'_>, facts: &mut Facts) {
    match cursor.word().to_ascii_uppercase().as_str() {
        "CREATE" => create::read(cursor, facts),
        "ALTER" => alter::read(cursor, facts),
        "DROP" => drop::read(cursor, facts),
        "SELECT" | "VALUES" | "TABLE" | "WITH" | "INSERT" | "UPDATE" | "DELETE" | "MERGE"
        | "TRUNCATE" | "COPY" | "EXPLAIN" => rows::read(cursor, facts),
        "" if cursor.is_symbol(b'(') => rows::read(cursor, facts),
        "VACUUM" | "ANALYZE" | "ANALYSE" | "REINDEX" | "CLUSTER" | "REFRESH" | "CHECKPOINT"
        | "LOCK" | "COMMENT" | "SECURITY" => maintenance::read(cursor, facts),
        _ => session::read(cursor, facts),
    }
}

impl Facts {
    fn name(&mut self, kind: Kind, label: impl Into<String>) {
        self.kind = kind;
        self.label = label.into();
    }

    fn lock(&mut self, mode: LockMode, relation: &QualifiedName) {
        self.locks.push(LockUse { mode, relation: Some(relation.clone()) });
    }

    fn lock_unnamed(&mut self, mode: LockMode) {
        self.locks.push(LockUse { mode, relation: None });
    }

    fn uses(&mut self, kind: ObjectKind, name: QualifiedName) {
        let used = ObjectRef { kind, name, on: None };
        if !self.uses.contains(&used) {
            self.uses.push(used);
        }
    }

    /// Keeps the worst loss, and the first of equals.
    fn lose(&mut self, severity: Severity, what: impl Into<String>) {
        if self.data_loss.as_ref().is_none_or(|known| known.severity < severity) {
            self.data_loss = Some(DataLoss { severity, what: what.into() });
        }
    }

    /// Keeps the first reason.
    fn once_only(&mut self, reason: impl Into<String>) {
        if self.rerun == Rerun::Safe {
            self.rerun = Rerun::Unsafe(reason.into());
        }
    }

    fn rewrite(&mut self, reason: &str) {
        self.scans = true;
        self.rewrites.get_or_insert_with(|| reason.to_owned());
    }
}
