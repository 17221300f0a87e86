//! pgfleet beside tools that no registry of the tests holds, on one database. Run by
//! `make interop-installed`.

mod flyway;
mod golang_migrate;
mod goose;
#[path = "../interop/peer.rs"]
mod peer;
