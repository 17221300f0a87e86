//! Tenants that are not as they should be: each is named with its reason, and none harms another.

use std::process::{Child, Command};
use std::time::Duration;

use pgfleet_testkit::Cluster;

use crate::fleet::{Fleet, toml};

fn says(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

fn fleet() -> Fleet {
    let fleet = Fleet::by_pattern(&["o_1", "o_2", "o_3"], "o_*");
    fleet.migration("0001_items.sql", "CREATE TABLE items (id int PRIMARY KEY);");
    fleet
}

impl Fleet {
    #[track_caller]
    fn has_migrations(&self, expected: &[(&str, &str)]) {
        for (database, versions) in expected {
            let there =
                self.value(database, "SELECT to_regclass('pgfleet.migrations') IS NOT NULL");
            let sql = "SELECT string_agg(version, ' ' ORDER BY version) FROM pgfleet.migrations";
            let found = if there == "t" { self.value(database, sql) } else { String::new() };
            assert_eq!(found, *versions, "{database}");
        }
    }

    /// Somebody who holds pgfleet's lock in a database until he is ended.
    fn hold_lock(&self, database: &str) -> Child {
        let sql = "SELECT pg_advisory_lock(x'7067666c65657401'::bigint), pg_sleep(600)";
        let holder = Command::new("psql")
            .args([&self.cluster.url(database), "-Xqc", sql])
            .env("PGAPPNAME", "the holder")
            .spawn()
            .expect("psql");
        let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
        while self.value(database, held) == "0" {
            std::thread::sleep(Duration::from_millis(10));
        }
        holder
    }
}

#[test]
fn a_tenant_whose_lock_is_held_is_named_with_its_holder() {
    let fleet = fleet();
    fleet.configure(&(fleet.project.read("pgfleet.toml") + "[apply]\nlock_wait_ms = 300\n"));
    let mut holder = fleet.hold_lock("o_2");
    let output = fleet.ends(&["apply", "--group", "tenants"], 6);
    says(&output.stdout, &["3 targets, 1 failed"]);
    says(&output.stderr, &["error[PF401]", "target: o_2", "application the holder"]);
    fleet.has_migrations(&[("o_1", "0001"), ("o_2", ""), ("o_3", "0001")]);
    let held = "SELECT pid FROM pg_stat_activity WHERE application_name = 'the holder'";
    let still = fleet.value("o_2", held);
    fleet.sql("o_2", &format!("SELECT pg_terminate_backend({still}, 5000)"));
    let _ = holder.wait();
    fleet.ends(&["apply", "--group", "tenants"], 0);
    fleet.has_migrations(&[("o_2", "0001")]);
}

#[test]
fn a_tenant_that_refuses_connections_is_named_and_left() {
    let fleet = fleet();
    fleet.sql("o_1", "ALTER DATABASE o_2 ALLOW_CONNECTIONS false");
    let output = fleet.ends(&["apply", "--group", "tenants"], 0);
    says(&output.stdout, &["tenants: 2 targets"]);
    says(&output.stderr, &["note[PF151]", "o_2 allows no connections"]);
    // A registry that names it says that it should be there.
    let url = toml(&fleet.main.url());
    fleet.configure(&format!(
        "[groups.tenants]\nregistry = {url}\nquery = \"SELECT 'o_' || n AS name, 'o_' || n AS \
         database FROM generate_series(1, 3) n\"\ndir = \"migrations\"\n"
    ));
    fleet.migration("0002_more.sql", "ALTER TABLE items ADD qty int;");
    let output = fleet.ends(&["apply", "--group", "tenants"], 6);
    says(&output.stdout, &["3 targets, 1 failed"]);
    says(
        &output.stderr,
        &["target: o_2", "not currently accepting connections", "ALLOW_CONNECTIONS true"],
    );
    fleet.sql("o_1", "ALTER DATABASE o_2 ALLOW_CONNECTIONS true");
    fleet.has_migrations(&[("o_1", "0001 0002"), ("o_2", ""), ("o_3", "0001 0002")]);
}

/// Roles are of the whole server: two tenants' migrations meet there, and the second goes on.
#[test]
fn a_role_that_another_session_just_changes_is_tried_again() {
    let fleet = fleet();
    fleet.sql("o_1", "CREATE ROLE shared_role");
    fleet.migration("0002_role.sql", "ALTER ROLE shared_role SET work_mem = '2MB';");
    let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let until = format!(
        "DO $$ BEGIN WHILE NOT EXISTS ({waits}) LOOP PERFORM pg_sleep(0.02); \
         PERFORM pg_stat_clear_snapshot(); END LOOP; END $$"
    );
    let holder = Command::new("psql")
        .args([&fleet.cluster.url("o_2"), "-Xqc"])
        .arg(format!("BEGIN; ALTER ROLE shared_role SET work_mem = '1MB'; {until}; COMMIT"))
        .spawn();
    let mut holder = holder.expect("psql");
    let held = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%shared_role%' \
                AND wait_event = 'PgSleep'";
    while fleet.value("o_1", held) == "0" {
        std::thread::sleep(Duration::from_millis(10));
    }
    fleet.ends(&["apply", "--group", "tenants", "--only", "o_1"], 0);
    assert!(holder.wait().expect("it ends").success());
    let set = "SELECT setconfig::text FROM pg_db_role_setting";
    assert_eq!(fleet.value("o_1", set), "{work_mem=2MB}");
}

#[test]
fn a_tenant_in_recovery_is_named_and_left() {
    let fleet = fleet();
    let standby = Cluster::fresh().recovery("CREATE DATABASE o_2").start();
    let target = |name: &str, url: &str, label: &str| {
        format!("[targets.{name}]\nurl = {}\nlabels = [\"{label}\"]\n", toml(url))
    };
    fleet.configure(&format!(
        "{}{}{}[groups.tenants]\ntargets = [\"one\", \"asleep\", \"three\"]\n\
         dir = \"migrations\"\n",
        target("one", &fleet.cluster.url("o_1"), "eu"),
        target("asleep", &standby.url("o_2"), "eu"),
        target("three", &fleet.cluster.url("o_3"), "us"),
    ));
    let output = fleet.ends(&["apply", "--group", "tenants", "--label", "eu"], 6);
    says(&output.stdout, &["2 targets, 1 failed"]);
    says(&output.stderr, &["error[PF208]", "target: asleep", "a read-only standby"]);
    fleet.has_migrations(&[("o_1", "0001"), ("o_3", "")]);
    fleet.ends(&["apply", "--group", "tenants", "--label", "us"], 0);
    fleet.has_migrations(&[("o_3", "0001")]);
}

/// The folder was squashed: its first migration is what 0001 to 0004 made.
#[test]
fn a_tenant_older_than_the_folders_baseline_is_named_and_left_as_it_is() {
    let fleet = fleet();
    fleet.migration("0002_names.sql", "ALTER TABLE items ADD name text;");
    fleet.ends(&["apply", "--group", "tenants", "--only", "o_1"], 0);
    fleet.ends(&["apply", "--group", "tenants", "--only", "o_2", "--steps", "1"], 0);
    for file in ["0001_items.sql", "0002_names.sql"] {
        std::fs::remove_file(fleet.project.path().join("migrations").join(file)).expect("removed");
    }
    fleet.migration("0004_base.sql", "CREATE TABLE items (id int PRIMARY KEY, name text);");
    fleet.migration("0005_more.sql", "CREATE INDEX ON items (name);");
    fleet.ends(&["baseline", "0004", "--group", "tenants", "--only", "o_1"], 0);
    let output = fleet.ends(&["apply", "--group", "tenants"], 6);
    says(&output.stdout, &["3 targets, 1 failed"]);
    says(&output.stderr, &["target: o_2", "0004_base.sql", "\"items\" already exists"]);
    fleet.has_migrations(&[("o_1", "0001 0002 0004 0005"), ("o_2", "0001"), ("o_3", "0004 0005")]);
    let columns =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0";
    assert_eq!(fleet.value("o_2", columns), "1");
}
