//! pgfleet beside the tools that cargo builds, on one database. Run by `make interop`.

mod diesel;
#[path = "../interop/peer.rs"]
mod peer;
mod refinery;
mod sqlx;
