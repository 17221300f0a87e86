//! Human and machine output: the only place that decides what a person or a script gets to see.
//!
//! Invariant: every function is pure: data and a [`Style`] in, text out; nothing here asks the
//! terminal, the environment or the clock, but [`Style::detect`] and [`progress`]. Text from
//! outside (file contents, server messages) never carries control characters to the terminal.

mod audit;
mod backup;
mod checks;
mod clean;
mod fleet;
pub mod json;
mod lint;
mod missing;
mod monitor;
mod plan;
mod problem;
pub mod progress;
mod rehearsal;
mod rollout;
mod run_summary;
mod schema;
mod split;
mod split_plan;
mod split_tables;
mod status;
mod style;
mod tenant;
#[cfg(test)]
mod tests;
mod text;

pub use audit::{audit, audit_rules};
pub use backup::{backup, backup_json, backups, removed_backups};
pub use checks::checks;
pub use clean::{cleaned, previews};
pub use fleet::{
    fleet_overview, fleet_plans, fleet_schemas, fleet_statuses, merged, status_headline,
    verdict_word,
};
pub use json::{Envelope, TargetEntry};
pub use lint::{findings, rules};
pub use missing::{MissingOptions, missing};
pub use monitor::monitor;
pub use plan::{estimates, plan};
pub use problem::{problem, problems};
pub use progress::{Progress, ProgressMode};
pub use rehearsal::{derived, proof, rehearsal};
pub use rollout::rollout;
pub use run_summary::run_summary;
pub use schema::{PSQL_HEAD, changes, differences, hazards, left_out, renames, schema, statements};
pub use split::{references, split_report, split_rollback, split_status};
pub use split_plan::{PlanShown, split_plan, to_declare};
pub use split_tables::{reference_table, split_plan_tables, split_report_tables};
pub use status::{StatusOptions, status};
pub use style::{Role, Stream, Style};
pub use tenant::{tenant_created, tenant_dropped, tenants};
pub use text::{clean, counted};
