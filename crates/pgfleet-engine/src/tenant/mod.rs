//! Tenant life: a tenant's database or schema is created, filled, entered in the registry; or backed
//! up, taken out of the registry, and dropped.
//!
//! Invariant: the journal in the registry says what is about to be done before it is done. A
//! database has a name of ours alone while it is being made or dropped, is known by its OID from
//! then on, and nothing is dropped that has another. Who enters a tenant in the registry, or takes
//! it out, ends that step of the journal in the same transaction.

mod create;
mod database;
mod home;
mod journal;
mod list;
mod place;
mod remove;
mod schema;
mod sql;

pub use create::{Created, create, give_up};
pub use list::{TenantRow, TenantState, list};
pub(crate) use place::PRIVATE;
pub use place::{Tenants, Work};
pub use remove::{Removal, Removed, keep, remove};
pub(crate) use schema::MARK;
