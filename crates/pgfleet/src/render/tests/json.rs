use insta::assert_snapshot;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::{MigrationStatus, Verdict};

use crate::render::{Envelope, TargetEntry};

#[test]
fn the_envelope() {
    let status = MigrationStatus {
        version: "001".into(),
        name: "init".into(),
        verdict: Verdict::Applied,
        file: Some("001_init.sql".into()),
        applied_at: None,
        note: None,
    };
    let entry = TargetEntry::new("local").field("migrations", &[status]).unwrap();
    let problem = Problem::warning(Code::VersionGap, "002 is missing");
    let envelope = Envelope::new("status").target(entry).errors([problem]);
    assert_snapshot!(envelope.to_text().unwrap());
}
