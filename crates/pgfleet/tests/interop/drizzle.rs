//! Drizzle Kit. It takes nothing back.

use pgfleet_testkit::{migrations::Format, peers::npm};

use super::peer::Peer;

const DRIZZLE: Peer = Peer {
    format: Format::Drizzle,
    // It runs everything in one transaction.
    runs_concurrently: false,
    apply: |project, url| npm::drizzle(project, url, &["migrate"]),
    // It has no status; the run that follows does nothing.
    assert_clean: |_, _| {},
    rows: "SELECT id, hash, created_at FROM drizzle.__drizzle_migrations ORDER BY id",
};

#[test]
fn drizzle_then_pgfleet() {
    DRIZZLE.goes_first();
}

#[test]
fn pgfleet_then_drizzle() {
    DRIZZLE.goes_second();
}
