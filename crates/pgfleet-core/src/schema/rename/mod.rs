//! Renames: what is asked for, held against two schemas, as statements in an order that works.
//!
//! Invariant: nothing is renamed that was not asked for, annotated or consented to, but for what
//! PostgreSQL itself named after something that was. The rest of a difference is compared after the
//! statements were run, so that nothing here needs to know what depends on a name.

mod annotation;
mod detect;
mod names;
mod order;
mod range;
mod request;
mod resolve;
mod step;
mod wake;
mod written;

pub use annotation::annotations;
pub use detect::{Proposal, detect};
pub use request::{RenameInvalid, RenameRequest, RenameSort};
pub use resolve::resolve;
pub use step::{NewName, RenameOrigin, RenameStep, Thing};
pub use wake::wake;
pub use written::taken_back;
