//! Every folder of corpus/schema, in both directions.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgfleet_testkit::Cluster;
use pgfleet_testkit::schemas::{database_with, prove_pair, read, turn_into};

use crate::{ROLES, corpus_dir};

/// The folders, or those whose names hold `CASE`.
fn cases() -> Vec<(String, PathBuf)> {
    let only = std::env::var("CASE").unwrap_or_default();
    let entries = fs::read_dir(corpus_dir()).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries.filter(|path| path.is_dir());
    let named =
        folders.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path));
    let mut cases: Vec<_> = named.filter(|(name, _)| name.contains(&only)).collect();
    cases.sort();
    cases
}

#[test]
fn every_pair_is_proven_in_both_directions() {
    let cluster = Cluster::shared();
    cluster.sql(ROLES);
    let cases = cases();
    assert!(!cases.is_empty(), "the corpus is there");
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let new_pair = || [cluster.database(), cluster.database()];
    let work = || {
        let mut databases = new_pair();
        while let Some((name, path)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let file = |name: &str| fs::read_to_string(path.join(name)).unwrap();
            let (from, to) = (file("from.sql"), file("to.sql"));
            let outcome = catch_unwind(AssertUnwindSafe(|| prove_pair(&databases, &from, &to)));
            if !matches!(outcome, Ok(Ok(()))) {
                databases = new_pair();
            }
            if let Err(error) = outcome.unwrap_or_else(|_| Err("it panicked".to_owned())) {
                failures.lock().unwrap().push(format!("== {name}\n{error}"));
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(work)));
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

#[test]
fn a_schema_of_every_kind_is_made_from_nothing_as_pg_dump_sees_it() {
    let cluster = Cluster::shared();
    cluster.sql(ROLES);
    let all = fs::read_to_string(corpus_dir().join("all_kinds.sql")).unwrap();
    let (original, copy) = (database_with(&cluster, &all).unwrap(), cluster.database());
    let (wanted, empty) = (read(&original), read(&copy));
    let kinds: std::collections::BTreeSet<_> =
        wanted.objects.iter().map(|object| object.id.kind).collect();
    let missing: Vec<_> =
        pgfleet_core::schema::Kind::ALL.iter().filter(|kind| !kinds.contains(kind)).collect();
    assert!(missing.is_empty(), "the file has none of {missing:?}");
    assert!(wanted.unmodelled.is_empty(), "{:?}", wanted.unmodelled);
    turn_into(&copy, &empty, &wanted).unwrap_or_else(|error| panic!("{error}"));
    let (dump, made) = (original.dump_schema(), copy.dump_schema());
    assert_eq!(sorted(&dump), sorted(&made));
    turn_into(&copy, &wanted, &empty).unwrap_or_else(|error| panic!("{error}"));
}

/// pg_dump orders objects of one kind by their dependencies and OIDs, which differ.
fn sorted(dump: &str) -> Vec<&str> {
    let mut statements: Vec<_> = dump.split(";\n").collect();
    statements.sort_unstable();
    statements
}
