//! The schema model against real servers: read, compared, written as DDL, applied, read again.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

mod corpus;
mod majors;
mod random;
mod renames;
mod spelling;

use std::path::{Path, PathBuf};

/// Roles that the cases grant to.
const ROLES: &str = "DO $$ BEGIN PERFORM pg_advisory_lock(4711);
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'schema_reader') THEN
        CREATE ROLE schema_reader; CREATE ROLE \"schema Writer\"; END IF;
    PERFORM pg_advisory_unlock(4711); END $$";

fn corpus_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/schema")
}
