//! What happens during a run, as data: one stream of [`Event`]s, and the [`RunReport`] that sums
//! it up. Progress bars, `--output json` and the files under `.pgfleet/runs/` all read these.
//!
//! The other forms are pure functions of the same data, one file each: [`html()`], [`markdown()`],
//! JUnit ([`run_junit`], [`check_junit`], [`problem_junit`]), [`sarif()`] and GitHub's [`github_annotations`].

mod command;
mod event;
mod fleet;
mod github;
mod html;
mod junit;
mod markdown;
pub(crate) mod page;
mod sarif;
mod summary;
mod wording;

pub use command::{CommandReport, ReportRow, ReportTable, command_html};
pub use event::{Event, Progress};
pub use fleet::{FleetReport, TargetVerdict, fleet_html, fleet_junit};
pub use github::github_annotations;
pub use html::html;
pub use junit::{check_junit, problem_junit, run_junit};
pub use markdown::markdown;
pub use sarif::sarif;
pub use summary::{MigrationOutcome, MigrationRun, RunReport};

#[cfg(test)]
mod samples;
