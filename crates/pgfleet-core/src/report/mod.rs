//! What happens during a run, as data: one stream of [`Event`]s, and the [`RunReport`] that sums
//! it up. Progress bars, `--output json` and the files under `.pgfleet/runs/` all read these.

mod event;
mod summary;

pub use event::{Event, Progress};
pub use summary::{MigrationOutcome, MigrationRun, RunReport};
