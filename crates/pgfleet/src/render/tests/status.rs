use insta::assert_snapshot;
use pgfleet_core::history::{MigrationStatus, Verdict};

use super::{PLAIN, both};
use crate::render::{StatusOptions, status};

fn one(number: usize, verdict: Verdict) -> MigrationStatus {
    let applied = verdict != Verdict::Pending;
    MigrationStatus {
        version: format!("{number:04}"),
        name: format!("step_{number}"),
        verdict,
        file: Some(format!("{number:04}_step.sql")),
        applied_at: applied.then(|| "2026-01-01 12:00:00.123456+00".to_owned()),
        note: None,
    }
}

fn mixed() -> Vec<MigrationStatus> {
    let mut list: Vec<_> = (1..=3).map(|n| one(n, Verdict::Applied)).collect();
    let mut changed = one(4, Verdict::Changed);
    changed.note = Some("recorded 1111111111111111111111111111111111111111, file 2222222222222222222222222222222222222222".into());
    list.push(changed);
    for (number, verdict) in [
        (5, Verdict::Failed),
        (6, Verdict::OutOfOrder),
        (7, Verdict::MissingFile),
        (8, Verdict::Pending),
    ] {
        list.push(one(number, verdict));
    }
    list[7].name = "a_very_long_name_".repeat(6);
    list
}

#[test]
fn every_verdict() {
    assert_snapshot!(both(|out, style| status(out, style, &mixed(), StatusOptions::default())));
}

#[test]
fn a_thousand_applied_are_folded_unless_all_are_asked_for() {
    let mut list: Vec<_> = (1..=1000).map(|n| one(n, Verdict::Applied)).collect();
    list.push(one(1001, Verdict::Pending));
    assert_snapshot!(both(|out, style| status(out, style, &list, StatusOptions::default())));
    let mut all = String::new();
    status(&mut all, &PLAIN, &list, StatusOptions { all: true });
    assert_eq!(all.lines().count(), 1 + 1001 + 2);
}

#[test]
fn nothing_at_all() {
    assert_snapshot!(both(|out, style| status(out, style, &[], StatusOptions::default())));
}
