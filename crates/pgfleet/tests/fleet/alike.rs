//! Targets that are alike share one rehearsal, and one that is not has its own.

use serde_json::Value;

use crate::atomic::{DOWN, UP, group, says};
use crate::fleet::Fleet;

/// Four targets that hold a table; the last has what a migration is about to add.
fn one_of_four_differs() -> Fleet {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3", "o_4"], "o_*");
    fleet.migration("0001_items.up.sql", "CREATE TABLE items (id int);");
    fleet.migration("0001_items.down.sql", "DROP TABLE items;");
    fleet.ends(&["apply", "--group", "tenants"], 0);
    fleet.migration("0002_r.up.sql", "ALTER TABLE items ADD COLUMN r float DEFAULT random();");
    fleet.migration("0002_r.down.sql", "ALTER TABLE items DROP COLUMN r;");
    fleet.sql("o_4", "ALTER TABLE items ADD COLUMN r float");
    fleet.sql("o_2", "INSERT INTO items SELECT generate_series(1, 5000); ANALYZE items");
    fleet
}

#[test]
fn a_plan_is_rehearsed_once_for_targets_that_are_alike() {
    let fleet = one_of_four_differs();
    let found = fleet.json(&["plan", "--group", "tenants", "--rehearse"], 6);
    let targets = found["targets"].as_array().expect("targets");
    let stand_ins = |target: &Value| target["rehearsal"]["stand_in"].as_str().map(str::to_owned);
    let alike: Vec<_> = targets[..3].iter().map(stand_ins).collect();
    let (own, other): (Vec<_>, Vec<_>) = alike.iter().partition(|stand_in| stand_in.is_none());
    assert_eq!((own.len(), other.len()), (1, 2), "{alike:?}");
    assert_eq!(other[0], other[1], "both name the one that was rehearsed");
    for target in &targets[..3] {
        let rehearsal = &target["rehearsal"];
        assert_eq!(rehearsal["reversals"][0]["verdict"], "proven_with_loss", "{rehearsal}");
        let rows = &rehearsal["statements"][0]["touched"][0]["size"]["rows"];
        let expected = if target["target"] == "o_2" { 5000.into() } else { Value::Null };
        assert_eq!(*rows, expected, "the size is the target's own: {rehearsal}");
    }
    let last = &targets[3];
    assert!(last["rehearsal"]["stand_in"].is_null() && last["rehearsal"]["complete"] == false);
    let shown = fleet.ends(&["plan", "--group", "tenants", "--rehearse"], 6).stdout;
    says(
        &shown,
        &[
            "1 to apply: 2_r; 2 hazards; reversible, 1 of 1 with loss",
            "1 to apply: 2_r; 2 hazards; the rehearsal failed: o_4",
            " and 2 alike\nTo apply: 1 migration",
            "what was written to column public.items.r",
            "\no_4\nTo apply: 1 migration",
        ],
    );
    assert_eq!(shown.matches("To apply:").count(), 2, "{shown}");
}

#[test]
fn rows_make_every_target_its_own_case() {
    let fleet = one_of_four_differs();
    let args = ["plan", "--group", "tenants", "--rehearse", "--rows", "all", "--except", "o_4"];
    let found = fleet.json(&args, 0);
    for target in found["targets"].as_array().expect("targets") {
        let rehearsal = &target["rehearsal"];
        let expected = if target["target"] == "o_2" { 5000 } else { 0 };
        assert_eq!(rehearsal["rows_copied"], expected, "{rehearsal}");
        assert!(rehearsal["stand_in"].is_null());
    }
}

#[test]
fn ways_back_are_proven_on_each_schema_that_targets_have() {
    let fleet = group(3);
    fleet.atomic(&[], 0);
    fleet.sql("all_03", "CREATE INDEX by_hand ON items (id)");
    let swap = "ALTER TABLE items DROP COLUMN id, ADD COLUMN key int;";
    let back = "ALTER TABLE items DROP COLUMN key, ADD COLUMN id int;";
    fleet.migration("0003_key.sql", &format!("{UP}{swap}{DOWN}{back}\n"));
    fleet.migration(
        "0004_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON items (key);\n\
         -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
    );
    says(
        &fleet.atomic(&["--allow-data-loss"], 5),
        &["1 of 2 ways back were not proven", "target: all_03", "by_hand"],
    );
    assert_eq!(fleet.value("all_01", "SELECT count(*) FROM schema_migrations"), "2");
    fleet.sql("all_03", "DROP INDEX by_hand");
    says(&fleet.atomic(&["--allow-data-loss"], 0), &["done, 3 targets"]);
}
