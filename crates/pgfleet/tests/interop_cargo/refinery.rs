//! refinery_cli. It takes nothing back. Its folders look like Flyway's, so the format is named.

use pgfleet_testkit::{migrations::Format, peers::cargo};

use super::peer::Peer;

const REFINERY: Peer = Peer {
    format: Format::Refinery,
    // It runs each file in a transaction.
    runs_concurrently: false,
    apply: |project, url| cargo::refinery(project, url, &[]),
    // It has no status; the run that follows does nothing.
    assert_clean: |_, _| {},
    rows: "SELECT version, name, checksum FROM refinery_schema_history ORDER BY version",
};

#[test]
fn refinery_then_pgfleet() {
    REFINERY.goes_first();
}

#[test]
fn pgfleet_then_refinery() {
    REFINERY.goes_second();
}
