//! pgfleet beside the tools that Go builds, on one database. Run by `make interop-go`.

mod golang_migrate;
mod goose;
#[path = "../interop/peer.rs"]
mod peer;
