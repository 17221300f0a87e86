//! Compares schemas, wherever they come from, and proves what turns one into the other.

mod beyond;
mod command;
mod known;
mod proof;
mod rename;
mod script;
mod side;

use pgfleet_core::diagnose::{Code, Problem};

use crate::catalog::CatalogError;
use crate::conduct::Target;

pub use beyond::{Desired, complete_desired, complete_start};
pub use proof::prove;
pub(crate) use rename::rename_back;
pub use rename::{RenameWishes, Renamed, rename, rename_on};
pub use script::{PREAMBLE, ScriptError, run_script};
pub use side::{
    Side, annotated_renames, read_own_schema, read_side, read_snapshot, read_target, replay,
    replay_folder, without_histories,
};

/// Why a schema could not be read, as a problem.
pub(crate) fn schema_problem(target: &Target, error: &CatalogError) -> Box<Problem> {
    match error {
        CatalogError::Session(error) => target.session_problem(error),
        CatalogError::Row { .. } => {
            Box::new(Problem::error(Code::Bug, error.to_string()).in_target(&target.name))
        }
    }
}
