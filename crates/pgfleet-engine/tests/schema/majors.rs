//! The same schema on every major version.

use std::fs;

use pgfleet_testkit::schemas::{database_with, read, turn_into};
use pgfleet_testkit::{Cluster, majors};

use crate::{ROLES, corpus_dir};

#[test]
fn fingerprints_are_equal_on_every_major_version() {
    let file = |name: &str| fs::read_to_string(corpus_dir().join(name)).unwrap();
    let all = file("all_kinds.sql").replace("CREATE EXTENSION pgcrypto;", "");
    let all = all.replace("CREATE EXTENSION btree_gist;", "");
    let mut fingerprints = Vec::new();
    for major in 14..=18 {
        let cluster = Cluster::fresh().installation(majors::major(major)).start();
        cluster.sql(ROLES);
        let (original, copy) = (database_with(&cluster, &all).unwrap(), cluster.database());
        let (wanted, empty) = (read(&original), read(&copy));
        turn_into(&copy, &empty, &wanted).unwrap_or_else(|e| panic!("{major}: {e}"));
        fingerprints.push((major, wanted));
    }
    let (_, first) = &fingerprints[0];
    for (major, schema) in &fingerprints {
        let difference = pgfleet_core::schema::diff::compare(first, schema);
        let statements: Vec<_> = difference.statements().into_iter().map(|s| s.sql).collect();
        assert!(difference.is_empty(), "14 and {major} differ:\n{}", statements.join(";\n"));
        assert_eq!(first.fingerprint(), schema.fingerprint(), "14 and {major}");
    }
}
