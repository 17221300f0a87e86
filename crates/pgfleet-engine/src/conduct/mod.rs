//! Conducts one target: what each command does between reading its arguments and showing the
//! result.
//!
//! Every change of a target goes through [`run_plan`]: `apply`, `rollback`, `baseline` and
//! `resolve` differ only in how their plan is made.

mod alone;
mod apply;
mod change;
mod difference;
mod dry_run;
mod estimate;
mod history;
mod includes;
mod objects;
mod reset;
mod rollback;
pub(crate) mod run_id;
mod shelf;
mod status;
mod target;

pub use crate::execute::Enclosed;
pub(crate) use crate::preflight::check_target as preflight_of;
pub(crate) use apply::pending;
pub use apply::{ApplyRequest, Selection, apply, plan_apply, refuse_broken_rows};
pub use change::{ChangeError, Consent, Run, RunOutcome, refuse_unpreparable, run_plan};
pub(crate) use change::{check_consent, lock_problem};
pub use dry_run::{DryRun, dry_run};
pub use estimate::{BatchEstimate, estimate_batches};
pub use history::{Resolution, baseline, resolve};
pub use includes::read_include;
pub use objects::drop_objects;
pub use reset::{own_schemas, reset};
pub use rollback::{RollbackRequest, RollbackTo, plan_rollback, roll_back};
pub(crate) use rollback::{chosen as chosen_to_take_back, plan_ways_back};
pub(crate) use run_id::new as new_run_id;
pub use shelf::{PlanShelf, ProgramShelf};
pub use status::{TargetStatus, status};
pub use target::{Opened, TENANT_HISTORY, Target, open};
