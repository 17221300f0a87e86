//! Every folder of corpus/schema, in both directions.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgfleet_testkit::schemas::{database_with, prove_pair, read, turn_into};
use pgfleet_testkit::{Cluster, majors};

use crate::{ROLES, corpus_dir};

/// Where pairs run that the tests' own server is too old for.
const NEWEST: u16 = 18;

/// A pair of schemas.
struct Case {
    name: String,
    path: PathBuf,
    /// The oldest major that knows what is in it (its file `since`), when the tests' own does not.
    since: Option<u16>,
}

/// The folders, or those whose names hold `CASE`.
fn cases() -> Vec<Case> {
    let only = std::env::var("CASE").unwrap_or_default();
    let entries = fs::read_dir(corpus_dir()).unwrap().map(|entry| entry.unwrap().path());
    let case = |path: PathBuf| Case {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        since: fs::read_to_string(path.join("since")).ok().map(|text| text.trim().parse().unwrap()),
        path,
    };
    let mut cases: Vec<_> = entries.filter(|path| path.is_dir()).map(case).collect();
    cases.retain(|case| case.name.contains(&only));
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

#[test]
fn every_pair_is_proven_in_both_directions() {
    let cases: Vec<_> = cases().into_iter().filter(|case| case.since.is_none()).collect();
    prove_all(&Cluster::shared(), &cases);
}

#[test]
fn pairs_of_what_newer_majors_brought_are_proven_on_the_newest() {
    let cases: Vec<_> = cases().into_iter().filter(|case| case.since.is_some()).collect();
    assert!(cases.iter().all(|case| case.since.unwrap() <= NEWEST));
    prove_all(&Cluster::fresh().installation(majors::major(NEWEST)).start(), &cases);
}

fn prove_all(cluster: &Cluster, cases: &[Case]) {
    cluster.sql(ROLES);
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let new_pair = || [cluster.database(), cluster.database()];
    let work = || {
        let mut databases = new_pair();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let file = |name: &str| fs::read_to_string(case.path.join(name)).unwrap();
            let (from, to) = (file("from.sql"), file("to.sql"));
            let outcome = catch_unwind(AssertUnwindSafe(|| prove_pair(&databases, &from, &to)));
            if !matches!(outcome, Ok(Ok(()))) {
                databases = new_pair();
            }
            if let Err(error) = outcome.unwrap_or_else(|_| Err("it panicked".to_owned())) {
                failures.lock().unwrap().push(format!("== {}\n{error}", case.name));
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
