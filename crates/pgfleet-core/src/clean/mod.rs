//! Rows to take away: declared rules, in which order they run, and what goes along with them.
//!
//! Invariant: what is shown before is counted by the same conditions that are executed; rows of
//! other tables go only as the database's own foreign keys say.

mod order;
mod rule;
mod victims;

pub use order::in_order;
pub use rule::{CleanRule, ResolvedRule, parse_clean_rules, resolve_rules, rules_fingerprint};
pub use victims::{
    Batch, CREATE_VICTIMS, Effect, Victims, cascade_sql, delete_sql, edges_into, root_sql, set_sql,
};
