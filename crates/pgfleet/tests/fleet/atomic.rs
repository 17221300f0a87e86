//! All or none: what `apply --atomic` promises, with targets that break and processes that die.

use std::time::Duration;

use pgfleet_testkit::proxy::{Direction, Proxy};

use crate::fleet::{Fleet, cuts, toml};

pub const UP: &str = "-- migrate:up\n";
pub const DOWN: &str = "\n-- migrate:down\n";

pub fn names(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("all_{n:02}")).collect()
}

pub fn group(count: usize) -> Fleet {
    let names = names(count);
    let fleet = Fleet::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    fleet.configure(&format!(
        "[groups.all_of_them]\nserver = {}\ndatabases = \"all_*\"\ndir = \"migrations\"\n\
         format = \"dbmate\"\n",
        toml(&fleet.main.url())
    ));
    let items = format!("{UP}CREATE TABLE items (id int);{DOWN}DROP TABLE items;\n");
    fleet.migration("0001_items.sql", &items);
    let rows = format!("{UP}INSERT INTO items VALUES (1);{DOWN}DELETE FROM items;\n");
    fleet.migration("0002_rows.sql", &rows);
    fleet
}

impl Fleet {
    #[track_caller]
    pub fn atomic(&self, more: &[&str], code: i32) -> String {
        let output =
            self.ends(&[&["apply", "--group", "all_of_them", "--atomic"], more].concat(), code);
        output.stdout + &output.stderr
    }

    /// Applied versions and rows of a database.
    pub fn holds(&self, database: &str) -> (String, String) {
        let there = "SELECT to_regclass('schema_migrations') IS NOT NULL";
        if self.value(database, there) == "f" {
            return (
                String::new(),
                self.value(database, "SELECT count(*) FROM pg_class WHERE relname = 'items'"),
            );
        }
        (
            self.value(
                database,
                "SELECT string_agg(version, ' ' ORDER BY version) FROM schema_migrations",
            ),
            self.value(database, "SELECT count(*) FROM items"),
        )
    }

    pub fn records(&self) -> String {
        let sql = "SELECT string_agg(state, ' ' ORDER BY began_at) FROM pgfleet.atomic";
        self.value("all_01", sql)
    }

    /// Prepared transactions in the databases of the group.
    pub fn prepared(&self) -> String {
        self.value("all_01", "SELECT count(*) FROM pg_prepared_xacts WHERE database LIKE 'all\\_%' OR database LIKE '%all\\_%'")
    }
}

#[track_caller]
pub fn says(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

fn new() -> (String, String) {
    ("0001 0002".to_owned(), "1".to_owned())
}

pub fn old() -> (String, String) {
    (String::new(), "0".to_owned())
}

#[test]
fn all_targets_get_all_migrations_at_once() {
    let fleet = group(5);
    says(&fleet.atomic(&[], 0), &["2 applied", "committed on all targets; locks were held"]);
    for name in names(5) {
        assert_eq!(fleet.holds(&name), new(), "{name}");
        let runs = "SELECT string_agg(outcome, ',') FROM pgfleet.runs";
        assert_eq!(fleet.value(&name, runs), "done", "{name}");
    }
    assert_eq!((fleet.records().as_str(), fleet.prepared().as_str()), ("done", "0"));
    says(&fleet.atomic(&[], 0), &["nothing to do"]);
    assert_eq!(fleet.records(), "done");
    let found = fleet.ends(&["rollout", "recover", "--group", "all_of_them"], 0);
    says(&found.stdout, &["No all-or-none run is open."]);
}

#[test]
fn one_target_that_fails_leaves_all_as_they_were() {
    let fleet = group(5);
    // The migration's rows cannot be seen to break; the trigger fires in the last statement.
    fleet.migration(
        "0003_check.sql",
        &format!("{UP}SELECT 1 / (current_database() NOT LIKE '%4')::int;{DOWN}SELECT 1;"),
    );
    says(
        &fleet.atomic(&[], 6),
        &["rolled back on all targets, each is as before", "0003_check.sql", "division by zero"],
    );
    for name in names(5) {
        assert_eq!(fleet.holds(&name), old(), "{name}");
    }
    assert_eq!((fleet.records().as_str(), fleet.prepared().as_str()), ("aborted", "0"));
}

#[test]
fn time_is_bounded() {
    let fleet = group(3);
    let slow = format!(
        "{UP}SELECT pg_sleep(CASE WHEN current_database() LIKE '%3' THEN 60 ELSE 0 END);{DOWN}SELECT 1;"
    );
    fleet.migration("0003_slow.sql", &slow);
    says(&fleet.atomic(&["--atomic-timeout", "1"], 6), &["rolled back on all targets"]);
    for name in names(3) {
        assert_eq!(fleet.holds(&name), old(), "{name}");
    }
    assert_eq!((fleet.records().as_str(), fleet.prepared().as_str()), ("aborted", "0"));
}

#[test]
fn what_no_transaction_holds_is_refused_before_anything_is_done() {
    let fleet = group(2);
    let apart = format!(
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON items (id);{DOWN}DROP INDEX i;"
    );
    fleet.migration("0003_index.sql", &apart);
    says(
        &fleet.atomic(&["--prepared-only"], 5),
        &["error[PF491]", "all_01", "0003_index.sql: has statements outside"],
    );
    assert_eq!(fleet.holds("all_01"), old());
    says(&fleet.atomic(&["--to", "0002"], 0), &["2 applied"]);
    assert_eq!(fleet.holds("all_02"), new());
}

#[test]
fn a_prepared_transaction_that_no_record_knows_is_named_and_left() {
    let fleet = group(2);
    fleet.sql("all_02", "BEGIN; CREATE TABLE theirs (); PREPARE TRANSACTION 'pgfleet/unknown-1/0'");
    says(&fleet.atomic(&[], 5), &["error[PF492]", "pgfleet/unknown-1/0"]);
    let found = fleet.ends(&["rollout", "recover", "--group", "all_of_them"], 6);
    says(&found.stderr, &["error[PF492]"]);
    fleet.sql("all_02", "ROLLBACK PREPARED 'pgfleet/unknown-1/0'");
    says(&fleet.atomic(&[], 0), &["committed on all targets"]);
}

#[test]
fn killed_runs_are_finished_or_taken_back_as_a_whole() {
    let fleet = group(6);
    let (mut seen_new, mut seen_old) = (0, 0);
    for round in 0..20u64 {
        let mut run = fleet.cli(&["apply", "--group", "all_of_them", "--atomic"]).spawn();
        std::thread::sleep(Duration::from_millis(60 + round * 25));
        run.kill();
        let _ = run.wait();
        fleet.ends(&["rollout", "recover", "--group", "all_of_them"], 0);
        let all: Vec<_> = names(6).iter().map(|name| fleet.holds(name)).collect();
        assert!(all.iter().all(|one| *one == all[0]), "round {round}: {all:?}");
        assert_eq!(fleet.prepared(), "0", "round {round}");
        let records = fleet.records();
        let last = records.rsplit(' ').next().unwrap_or_default();
        if all[0] == new() {
            assert_eq!(last, "done", "round {round}: {records}");
            seen_new += 1;
            for name in names(6) {
                fleet.sql(&name, "DROP TABLE items, schema_migrations; DELETE FROM pgfleet.steps");
            }
        } else {
            assert!(records.is_empty() || ["aborted", "done"].contains(&last), "{records}");
            seen_old += 1;
        }
    }
    println!("{seen_new} wholly new, {seen_old} wholly old; {}", fleet.records());
    if !fleet.holds("all_01").0.is_empty() {
        return;
    }
    says(&fleet.atomic(&[], 0), &["committed on all targets"]);
}

/// Runs with all connections through a proxy.
fn through(fleet: &Fleet, proxy: &Proxy) {
    let direct = fleet.project.read("pgfleet.toml");
    fleet.configure(&proxy.through(&direct));
    let output = fleet.run(&["apply", "--group", "all_of_them", "--atomic"]);
    fleet.configure(&direct);
    assert!(matches!(output.code, 0 | 3..=6), "{}: {}", output.code, output.stderr);
}

/// What the record of the last run says, before anybody looks after it; nothing when the run did
/// not get so far.
fn record_of_run(fleet: &Fleet, records: usize) -> String {
    let states = fleet.records();
    let states: Vec<_> = states.split_whitespace().collect();
    if states.len() > records { states[records].to_owned() } else { String::new() }
}

/// Cuts all connections at once behind a message of the protocol: by default some of those since
/// the first transaction was prepared, see [`cuts`].
#[test]
fn a_run_cut_behind_any_message_is_settled_as_a_whole() {
    let fleet = group(3);
    let proxy = Proxy::before(&fleet.cluster, Duration::ZERO);
    through(&fleet, &proxy);
    let traffic = proxy.traffic();
    let mut seen = std::collections::BTreeMap::new();
    for (direction, messages) in [
        (Direction::ToServer, traffic.messages_to_server),
        (Direction::ToClient, traffic.messages_to_client),
    ] {
        for after in cuts(messages / 2, messages, 5) {
            let context = format!("cut {direction:?} behind message {after} of {messages}");
            let old_ones =
                "DROP TABLE IF EXISTS items, schema_migrations; DELETE FROM pgfleet.steps";
            names(3).iter().for_each(|name| fleet.sql(name, old_ones));
            let records = fleet.records().split_whitespace().count();
            let proxy = Proxy::before(&fleet.cluster, Duration::ZERO);
            proxy.cut_after_messages(direction, after);
            through(&fleet, &proxy);
            let before = record_of_run(&fleet, records);
            fleet.ends(&["rollout", "recover", "--group", "all_of_them"], 0);
            let (wanted, end) = match before.as_str() {
                "committing" | "done" => (new(), "done"),
                "" => (old(), ""),
                _ => (old(), "aborted"),
            };
            for name in names(3) {
                assert_eq!(fleet.holds(&name), wanted, "{context}: {name} after {before:?}");
            }
            assert_eq!(record_of_run(&fleet, records), end, "{context}");
            assert_eq!(fleet.prepared(), "0", "{context}");
            *seen.entry(before).or_insert(0) += 1;
        }
    }
    println!("{traffic:?}; the record's state when all was cut: {seen:?}");
}
