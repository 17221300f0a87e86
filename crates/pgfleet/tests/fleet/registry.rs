//! Groups by a registry: active, inactive, dangling and repeated entries, values of each target.

use crate::fleet::{Fleet, HOSTILE, verdicts};

const QUERY: &str = "SELECT code AS name, db AS database, active, labels, id AS tenant_id \
                     FROM organisations ORDER BY id";

fn organisations(rows: &str) -> Fleet {
    let fleet = Fleet::of(&["org_a", "org_b", HOSTILE]);
    fleet
        .main
        .sql("CREATE TABLE organisations (id int, code text, db text, active bool, labels text[])");
    fleet.main.sql(&format!("INSERT INTO organisations VALUES {rows}"));
    configure(&fleet, QUERY);
    fleet
}

fn configure(fleet: &Fleet, query: &str) {
    let url = fleet.main.url();
    fleet.configure(&format!(
        "[groups.orgs]\nregistry = \"{url}\"\nquery = \"{query}\"\ndir = \"migrations\"\n\
         variables = true\n"
    ));
}

#[test]
fn entries_that_are_no_targets_are_named_and_stop_nothing() {
    let fleet = organisations(
        "(1, 'a', 'org_a', true, '{eu}'), (2, 'b', 'org_b', false, '{}'), \
         (3, 'ghost', 'org_ghost', true, '{}'), (4, 'lost', NULL, true, '{}'), \
         (5, 'again', 'org_a', true, '{}'), (6, 'c', 'org_b', true, '{us}')",
    );
    fleet.migration("0001_a.sql", "CREATE TABLE a (id int);");
    let output = fleet.ends(&["apply", "--group", "orgs"], 0);
    for part in [
        "note[PF151]",
        "b: active is f",
        "warning[PF152]",
        "ghost: there is no database \"org_ghost\"",
        "lost: it names no database",
        "warning[PF153]",
        "again is a once more",
    ] {
        assert!(output.stderr.contains(part), "no {part:?} in:\n{}", output.stderr);
    }
    let found = verdicts(&fleet.json(&["status", "--group", "orgs", "--label", "us"], 0));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "c");
}

#[test]
fn values_of_a_target_are_quoted_wherever_they_are_written() {
    let fleet =
        organisations("(7, E'o''brien\\\\', 'org_a', true, '{}'), (-8, 'b', 'org_b', true, '{}')");
    fleet.main.sql(&format!(
        "INSERT INTO organisations VALUES (9, $q$x'); DROP TABLE a; --$q$, $q${HOSTILE}$q$, true, '{{}}')"
    ));
    fleet.migration(
        "0001_a.sql",
        "CREATE TABLE a (tenant int DEFAULT :tenant_id, name text DEFAULT :target, \
         same text DEFAULT :'target', :\"database\" int, next int DEFAULT 1-:tenant_id, cast_ int DEFAULT 1::int);\n\
         INSERT INTO a (cast_) VALUES (1);",
    );
    fleet.ends(&["apply", "--group", "orgs"], 0);
    for (database, id, name) in
        [("org_a", 7, "o'brien\\"), ("org_b", -8, "b"), (HOSTILE, 9, "x'); DROP TABLE a; --")]
    {
        let row = fleet.value(database, "SELECT tenant, name, same, next FROM a");
        assert_eq!(row, format!("{id}|{name}|{name}|{}", 1 - id));
        let column =
            "SELECT attname FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum = 4";
        assert_eq!(fleet.value(database, column), database);
    }
    let checksums: std::collections::BTreeSet<_> = ["org_a", "org_b", HOSTILE]
        .map(|name| fleet.value(name, "SELECT checksum FROM pgfleet.migrations"))
        .into();
    assert_eq!(checksums.len(), 1, "checksums are of the file");
    let found = verdicts(&fleet.json(&["apply", "--group", "orgs"], 0));
    assert!(found.iter().all(|(_, verdict)| verdict == "nothing to do"), "{found:?}");
}

#[test]
fn a_value_that_is_null_stops_its_target_alone() {
    let fleet = organisations("(1, 'a', 'org_a', true, '{}'), (NULL, 'b', 'org_b', true, '{}')");
    fleet.migration("0001_a.sql", "CREATE TABLE a (tenant int DEFAULT :'tenant_id');");
    let output = fleet.ends(&["apply", "--group", "orgs"], 6);
    assert!(output.stderr.contains("\"tenant_id\" is not set"), "{}", output.stderr);
    assert_eq!(fleet.value("org_a", "SELECT count(*) FROM pgfleet.migrations"), "1");
}

#[test]
fn a_registry_that_cannot_be_understood_is_refused() {
    let fleet = organisations("(1, 'a', 'org_a', true, '{}')");
    fleet.migration("0001_a.sql", "CREATE TABLE a (id int);");
    for (query, wanted) in [
        ("SELECT code FROM organisations", "its columns (code) say nowhere"),
        ("SELECT db AS database, id AS x, id AS x FROM organisations", "\"x\" twice"),
        ("SELECT nothing FROM organisations", "\"nothing\" does not exist"),
        ("DELETE FROM organisations RETURNING db AS database", "read-only"),
    ] {
        configure(&fleet, query);
        let output = fleet.ends(&["status", "--group", "orgs"], 2);
        assert!(output.stderr.contains("error[PF150]"), "{}", output.stderr);
        assert!(output.stderr.contains(wanted), "no {wanted:?} in:\n{}", output.stderr);
    }
}
