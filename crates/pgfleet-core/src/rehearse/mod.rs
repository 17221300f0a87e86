//! What a rehearsal saw, as data, and what follows from it: hazards that no text told, and for
//! each migration whether its way back is real.
//!
//! Invariant: everything here was measured on a scratch copy; sizes are the real target's.

mod hazard;
mod loss;
mod proof;
mod reversal;
mod sample;

use pgfleet_sql::LockMode;
use serde::{Deserialize, Serialize};

use crate::place::Place;

pub use hazard::{add_hazards, found_hazards};
pub use loss::{Contents, HeldColumn, data_statements, losses};
pub use proof::{Proof, bare, taken_back};
pub use reversal::{Reversal, Verdict, WayBack};
pub use sample::{RowChoice, UnknownRowChoice};

/// What a rehearsal saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// How the copy was made, in words.
    pub copy: String,
    /// The target that was rehearsed instead, as plan and schema are the same there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stand_in: Option<String>,
    /// Rows that were copied for it; none when the copy had the structure alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_copied: Option<u64>,
    /// What became of the target's statistics, in words.
    pub statistics: String,
    /// In execution order, up to the first that failed.
    pub statements: Vec<RehearsedStatement>,
    /// Whether each migration can be taken back, in the plan's order.
    pub reversals: Vec<Reversal>,
    /// Milliseconds in all, with the making of the copy.
    pub elapsed_ms: f64,
    /// True when every statement succeeded.
    pub complete: bool,
}

/// What one statement did on the copy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RehearsedStatement {
    /// The migration's label.
    pub migration: String,
    /// Where the statement stands.
    pub place: Place,
    /// Its command: `ALTER TABLE`.
    pub label: String,
    /// Milliseconds on the copy.
    pub elapsed_ms: f64,
    /// Rows written, or returned.
    pub rows: u64,
    /// True when it ran outside any transaction, watched from a second session: locks that were
    /// held for less than a few milliseconds may have been missed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub watched: bool,
    /// What it touched of what is there before the plan, the gravest first.
    pub touched: Vec<Touched>,
}

/// What a statement did to a relation that is there before the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Touched {
    /// Qualified and quoted.
    pub relation: String,
    /// `table`, `materialized view`, `view`, `sequence`, `foreign table`, `index`.
    pub kind: String,
    /// The strongest lock that was held on it after the statement.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "lock_name")]
    pub lock: Option<LockMode>,
    /// An earlier statement of the transaction took the lock.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held_before: bool,
    /// Its file was written anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rewritten: bool,
    /// All of it was read while it was locked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scanned: bool,
    /// Its size in the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

/// How big a relation of the target is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Of a table, with indexes and TOAST.
    pub bytes: u64,
    /// As the server estimates them; none when it never counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

impl Touched {
    /// True when somebody who reads or writes rows would have to wait, or the disk has much to do.
    pub fn matters(&self) -> bool {
        self.rewritten
            || self.scanned
            || self.new_lock().is_some_and(|lock| lock.blocks().is_some())
    }

    /// The lock, when this statement took it.
    pub fn new_lock(&self) -> Option<LockMode> {
        self.lock.filter(|_| !self.held_before)
    }
}

/// Lock modes by the name that `LOCK TABLE` has for them.
mod lock_name {
    use pgfleet_sql::LockMode;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(
        lock: &Option<LockMode>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match lock {
            Some(lock) => serializer.serialize_str(lock.sql_name()),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<LockMode>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let unknown = || serde::de::Error::custom(format!("no lock mode is called {text:?}"));
        LockMode::parse(&text).map(Some).ok_or_else(unknown)
    }
}
