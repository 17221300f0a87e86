//! Tests that compare pgfleet-sql with PostgreSQL's own parser (libpg_query). There is no library.
//!
//! It is a crate of its own because libpg_query needs libclang to build, which neither the shipped
//! binary nor the ordinary tests may depend on.
//!
//! Invariant: nothing depends on this crate.
