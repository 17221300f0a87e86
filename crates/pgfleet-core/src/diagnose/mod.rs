//! What went wrong, why, and what to do: [`Problem`]s as data.
//!
//! Every message that a person may see is a [`Problem`] with a stable [`Code`], the place, the
//! cause and, where there is one, the command that fixes it.

mod closest;
mod code;
mod data;
mod exists;
mod explain;
mod facts;
mod missing;
mod permission;
mod problem;
mod server_error;
mod syntax;
mod waiting;

pub use closest::closest_name;
pub use code::{Code, ExitCode};
pub use explain::diagnose;
pub use facts::{
    Blocker, CatalogFacts, Comparison, Creator, ExistingObject, FailureContext, FolderFacts, Gone,
    Violations,
};
pub use problem::{Fix, Problem, Severity, Snippet};
pub use server_error::ServerError;
