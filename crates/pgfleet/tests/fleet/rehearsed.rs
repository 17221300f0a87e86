//! All or none where not every target can prepare: rehearsed everywhere, then changed, and taken back
//! as a whole when one fails.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pgfleet_testkit::ProgramOutput;
use pgfleet_testkit::proxy::{Direction, Proxy};
use serde_json::Value;

use crate::atomic::{DOWN, UP, group, names, old, says};
use crate::fleet::{Fleet, cuts};

/// A group with a migration that no transaction holds. It fails where `items` has a row 0, which
/// nothing sees beforehand.
fn apart(count: usize) -> Fleet {
    let fleet = group(count);
    let rows = format!("{UP}INSERT INTO items VALUES (1);{DOWN}DELETE FROM items WHERE id = 1;\n");
    fleet.migration("0002_rows.sql", &rows);
    fleet.migration("0003_more.sql", &format!("{UP}CREATE TABLE more (id int);{DOWN}"));
    fleet.migration(
        "0004_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON items ((1 / id));\n\
         -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
    );
    fleet
}

/// The same with down parts for all of it: nothing has to be derived, which takes the most time.
fn apart_with_ways_back(count: usize) -> Fleet {
    let fleet = apart(count);
    let more = format!("{UP}CREATE TABLE more (id int);{DOWN}DROP TABLE more;");
    fleet.migration("0003_more.sql", &more);
    fleet
}

/// Applied versions of each target, and what they brought.
fn all_hold(fleet: &Fleet, count: usize) -> Vec<String> {
    let made = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
                WHERE relname IN ('items', 'more', 'i')";
    let one = |name: &String| format!("{} / {}", fleet.holds(name).0, fleet.value(name, made));
    names(count).iter().map(one).collect()
}

const NEW: &str = "0001 0002 0003 0004 / i items more";
const FIRST: &str = "0001 / items";

#[test]
fn targets_that_cannot_prepare_rehearse_and_are_then_changed() {
    let fleet = apart(3);
    says(
        &fleet.atomic(&["--prepared-only"], 5),
        &["error[PF491]", "0004_index.sql: has statements outside"],
    );
    assert_eq!(fleet.holds("all_01"), old());
    says(
        &fleet.atomic(&[], 0),
        &[
            "warning[PF436]: all_of_them is migrated all or none by taking back",
            "0004_index.sql: has statements outside a transaction",
            "1. each of 3 targets runs it in a transaction that is rolled back",
            "--prepared-only",
            "rehearsed on all targets; locks of one were held",
            "done, 3 targets",
        ],
    );
    assert_eq!(all_hold(&fleet, 3), vec![NEW; 3]);
    says(&fleet.atomic(&[], 0), &["nothing to do"]);
    let found = fleet.ends(&["rollout", "recover", "--group", "all_of_them"], 0);
    says(&found.stdout, &["No all-or-none run is open."]);
}

#[test]
fn a_failure_takes_back_whatever_was_changed() {
    let fleet = apart(4);
    fleet.ends(&["apply", "--group", "all_of_them", "--to", "0001"], 0);
    fleet.sql("all_03", "INSERT INTO items VALUES (0)");
    says(
        &fleet.atomic(&["--concurrency", "2"], 6),
        &["rehearsed on all targets", "division by zero", "taken back, 4 targets"],
    );
    assert_eq!(all_hold(&fleet, 4), vec![FIRST; 4]);
    assert_eq!(fleet.value("all_03", "SELECT count(*) FROM items"), "1", "what was there stays");
    fleet.sql("all_03", "DELETE FROM items");
    says(&fleet.atomic(&[], 0), &["done, 4 targets"]);
    assert_eq!(all_hold(&fleet, 4), vec![NEW; 4]);
}

/// Both ways say the same of a target, and this one what the rollout knows besides.
#[test]
fn scripts_read_the_same_on_both_ways() {
    let fleet = apart(3);
    let atomic = ["apply", "--group", "all_of_them", "--atomic"];
    let prepared = fleet.json(&[&atomic[..], &["--to", "0001"]].concat(), 0);
    fleet.ends(&["apply", "--group", "all_of_them", "--only", "all_03"], 0);
    fleet.sql("all_02", "INSERT INTO items VALUES (0)");
    let back = fleet.json(&atomic, 6);
    fleet.sql("all_02", "DELETE FROM items");
    let rehearsed = fleet.json(&atomic, 0);
    let keys = |found: &Value, at: usize| -> BTreeSet<String> {
        found["targets"][at].as_object().expect("an object").keys().cloned().collect()
    };
    assert!(keys(&prepared, 0).is_subset(&keys(&rehearsed, 0)), "{prepared} {rehearsed}");
    assert_eq!(keys(&prepared, 0), keys(&rehearsed, 2), "{rehearsed}");
    let each = |found: &Value| -> Vec<String> {
        let targets = found["targets"].as_array().expect("targets").iter();
        let say = |one: &Value| {
            let run = one["run"]["migrations"].as_array().map(Vec::len);
            format!("{} {} {} {run:?}", one["target"], one["ok"], one["exit"]).replace('"', "")
        };
        targets.map(say).collect()
    };
    let all = |said: [&str; 3]| -> Vec<String> {
        said.iter().zip(names(3)).map(|(said, name)| format!("{name} {said}")).collect()
    };
    assert_eq!(each(&prepared), all(["true 0 Some(1)"; 3]));
    assert_eq!(each(&back), all(["false 6 None", "false 4 None", "true 0 None"]));
    assert_eq!(each(&rehearsed), all(["true 0 Some(3)", "true 0 Some(3)", "true 0 None"]));
}

#[test]
fn whoever_fails_when_it_rehearses_leaves_all_as_they_were() {
    let fleet = apart(4);
    fleet.migration(
        "0003_more.sql",
        &format!("{UP}SELECT 1 / (current_database() NOT LIKE '%4')::int;{DOWN}SELECT 1;"),
    );
    says(
        &fleet.atomic(&[], 6),
        &["the rehearsal failed; nothing was changed on any target", "0003_more.sql", "by zero"],
    );
    for name in names(4) {
        assert_eq!(fleet.holds(&name), old(), "{name}");
    }
    let slow = "SELECT pg_sleep(CASE WHEN current_database() LIKE '%3' THEN 60 ELSE 0 END);";
    fleet.migration("0003_more.sql", &format!("{UP}{slow}{DOWN}SELECT 1;"));
    says(
        &fleet.atomic(&["--atomic-timeout", "1"], 6),
        &["all_03 did not rehearse within 1 s", "nothing was changed on any target"],
    );
    assert_eq!(fleet.holds("all_03"), old());
}

/// Migrations that differ when all of them are one transaction.
#[test]
fn a_rehearsal_in_one_transaction_sees_what_commits_would() {
    let fleet = apart(2);
    fleet.migration(
        "0003_more.sql",
        &format!(
            "{UP}CREATE TABLE more (id int PRIMARY KEY);\n\
             CREATE TABLE parts (of int REFERENCES more (id) DEFERRABLE INITIALLY DEFERRED);\n\
             INSERT INTO parts VALUES (1); INSERT INTO more VALUES (1);{DOWN}DROP TABLE parts, more;"
        ),
    );
    // Fails in a transaction with checks still to be made.
    fleet.migration(
        "0103_altered.sql",
        &format!(
            "{UP}ALTER TABLE parts ADD note text; INSERT INTO parts VALUES (2); INSERT INTO more VALUES (2);\
             {DOWN}ALTER TABLE parts DROP note; DELETE FROM parts WHERE of = 2; DELETE FROM more WHERE id = 2;"
        ),
    );
    let mood = format!("{UP}CREATE TYPE mood AS ENUM ('good');{DOWN}DROP TYPE mood;");
    fleet.migration("0203_mood.sql", &mood);
    let bad = "-- migrate:up\nALTER TYPE mood ADD VALUE 'bad';\n-- migrate:down\nALTER TYPE mood RENAME TO old; \
               CREATE TYPE mood AS ENUM ('good'); DROP TYPE old;";
    fleet.migration("0303_bad.sql", bad);
    let used = format!(
        "{UP}CREATE TABLE moods (one mood DEFAULT 'bad'); INSERT INTO moods DEFAULT VALUES;{DOWN}DROP TABLE moods;"
    );
    fleet.migration("0403_used.sql", &used);
    says(&fleet.atomic(&[], 0), &["rehearsed on all targets", "done, 2 targets"]);
    // A key that leads nowhere is seen as a commit would.
    let broken = format!(
        "{UP}INSERT INTO parts SELECT 99 WHERE current_database() LIKE 'all%';{DOWN}DELETE FROM parts WHERE of = 99;"
    );
    fleet.migration("0505_broken.sql", &broken);
    fleet.migration(
        "0606_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY j ON items (id);\n\
         -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY j;\n",
    );
    says(
        &fleet.atomic(&[], 4),
        &["0505_broken", "violates foreign key constraint", "nothing was changed"],
    );
}

#[test]
fn what_has_no_proven_way_back_is_refused_before_anything_is_done() {
    let fleet = apart(2);
    fleet.migration("0003_more.sql", &format!("{UP}INSERT INTO items VALUES (2);{DOWN}"));
    says(
        &fleet.atomic(&[], 5),
        &[
            "error[PF451]: 1 of 4 ways back were not proven",
            "0003_more: nothing undoes",
            "--unproven",
        ],
    );
    fleet.migration(
        "0003_more.sql",
        &format!("{UP}CREATE TABLE more (id int);{DOWN}DROP TABLE items;"),
    );
    says(&fleet.atomic(&[], 5), &["error[PF451]: 1 of 4 ways back were not proven", "0003_more"]);
    says(&fleet.atomic(&["--steps", "2"], 0), &["committed on all targets"]);
    says(&fleet.atomic(&["--steps", "2"], 5), &["error[PF491]: --steps", "--to VERSION"]);
    // The copy has no rows, and so nothing that a row could refer to.
    fleet.migration(
        "0003_more.sql",
        &format!("{UP}CREATE TABLE more (of int); INSERT INTO more VALUES (1 / (SELECT count(*) FROM items)::int);{DOWN}DROP TABLE more;"),
    );
    says(
        &fleet.atomic(&[], 5),
        &["error[PF450]: the rehearsal on a copy failed", "--rows 1000", "--unproven", "by zero"],
    );
    says(&fleet.atomic(&["--rows", "all", "--prepared-only"], 5), &["error[PF491]"]);
    says(&fleet.atomic(&["--rows", "all"], 0), &["done, 2 targets"]);
    assert_eq!(all_hold(&fleet, 2), vec![NEW; 2]);
}

const BACK: &str = "DROP INDEX IF EXISTS i; DROP TABLE IF EXISTS more; \
     DELETE FROM items WHERE id < 2; DELETE FROM schema_migrations WHERE version > '0001'; \
     DELETE FROM pgfleet.steps";

/// All targets at the first migration; the last of them fails once it is changed, where it should.
fn again(fleet: &Fleet, count: usize, fails: bool) {
    names(count).iter().for_each(|name| fleet.sql(name, BACK));
    if fails {
        fleet.sql(&format!("all_{count:02}"), "INSERT INTO items VALUES (0)");
    }
}

/// Which commands bring a run to its end; one of them, by turns.
fn settled(fleet: &Fleet, turn: u64, is_open: bool) -> (&'static [&'static str], ProgramOutput) {
    let commands: &[&str] = match (turn % 3, is_open) {
        (1, true) => &["apply", "--atomic"],
        (2, true) => &["rollout", "take-back", "--allow-data-loss"],
        _ => &["rollout", "recover"],
    };
    (commands, fleet.run(&[commands, &["--group", "all_of_them"]].concat()))
}

/// All targets are alike, and the manifest says what they are. True when they are wholly new.
#[track_caller]
fn is_wholly_new(fleet: &Fleet, count: usize, began: bool, context: &str) -> bool {
    let all = all_hold(fleet, count);
    assert!(all.iter().all(|one| *one == all[0]), "{context}: {all:?}");
    assert!([NEW, FIRST].contains(&all[0].as_str()), "{context}: {all:?}");
    let is_new = all[0] == NEW;
    if began {
        assert_eq!(state(fleet), if is_new { "done" } else { "taken_back" }, "{context}");
        let truths = if is_new { "'done'" } else { "'taken_back', 'waiting', 'failed'" };
        let others = format!(
            "SELECT string_agg(DISTINCT t.state, ' ') FROM pgfleet.rollout_targets t \
             JOIN (SELECT * FROM pgfleet.rollouts ORDER BY began_at DESC LIMIT 1) r \
             USING (rollout_id) WHERE t.state NOT IN ({truths})"
        );
        assert_eq!(fleet.value("all_01", &others), "", "{context}");
    } else {
        assert!(!is_new, "{context}");
    }
    is_new
}

/// `PGFLEET_KILLS` is the number of rounds. In half of them a target fails once it is changed; three of
/// four are killed while targets are changed or taken back, the others before. When rounds are asked for,
/// a way back is derived in each.
#[test]
fn killed_runs_end_wholly_old_or_wholly_new() {
    let kills = std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok());
    let rounds: u32 = kills.unwrap_or(3);
    let fleet = if kills.is_some() { apart(2) } else { apart_with_ways_back(2) };
    fleet.ends(&["apply", "--group", "all_of_them", "--to", "0001"], 0);
    let begun = Instant::now();
    fleet.atomic(&[], 0);
    let whole = begun.elapsed();
    let (mut seen_new, mut interrupted) = (0, 0);
    for round in 0..rounds {
        again(&fleet, 2, round / 2 % 2 == 1);
        let rollouts = count(&fleet);
        let mut run = fleet.cli(&["apply", "--group", "all_of_them", "--atomic"]).spawn();
        if round % 4 == 0 {
            std::thread::sleep(whole * (round + 1) / (rounds + 1) + Duration::from_millis(20));
        } else {
            let begun = Instant::now();
            while count(&fleet) == rollouts && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(u64::from(round * 7 % 60) * 10));
        }
        run.kill();
        let _ = run.wait();
        let open = state(&fleet);
        let (settles, output) = settled(&fleet, round.into(), count(&fleet) > rollouts);
        let context = format!("round {round} {settles:?}: {}{}", output.stdout, output.stderr);
        assert!(matches!(output.code, 0 | 2 | 6), "{context}");
        interrupted += u32::from(!["done", "taken_back"].contains(&open.as_str()));
        seen_new += u32::from(is_wholly_new(&fleet, 2, count(&fleet) > rollouts, &context));
    }
    println!(
        "{seen_new} wholly new, {} wholly old, {interrupted} while targets were changed",
        rounds - seen_new
    );
}

/// A run whose connections are all cut behind a message; what went through.
fn cut(fleet: &Fleet, behind: Option<(Direction, u64)>) -> [(Direction, u64); 2] {
    let direct = fleet.project.read("pgfleet.toml");
    let proxy = Proxy::before(&fleet.cluster, Duration::ZERO);
    proxy.pass_over_programs();
    if let Some((direction, after)) = behind {
        proxy.cut_after_messages(direction, after);
    }
    fleet.configure(&proxy.through(&direct));
    let output = fleet.run(&["apply", "--group", "all_of_them", "--atomic"]);
    fleet.configure(&direct);
    assert!(matches!(output.code, 0 | 3..=6), "{}: {}", output.code, output.stderr);
    let traffic = proxy.traffic();
    [
        (Direction::ToServer, traffic.messages_to_server),
        (Direction::ToClient, traffic.messages_to_client),
    ]
}

/// How often a run was cut in which state of its rollout, and how often it ended wholly new.
type Seen = BTreeMap<(String, bool), u32>;

/// Cuts a run, brings it to its end, and looks at every target.
fn cut_and_settle(fleet: &Fleet, behind: (Direction, u64), context: &str, seen: &mut Seen) {
    let rollouts = count(fleet);
    cut(fleet, Some(behind));
    let began = count(fleet) > rollouts || state(fleet) != "taken_back";
    let open = if began { state(fleet) } else { "not begun".to_owned() };
    let (settles, output) = settled(fleet, behind.1, began);
    let context = format!(
        "{context} cut behind {behind:?}, {open}, {settles:?}: {}{}",
        output.stdout, output.stderr
    );
    assert!(matches!(output.code, 0 | 2 | 6), "{context}");
    let is_new = is_wholly_new(fleet, 2, began, &context);
    *seen.entry((open, is_new)).or_insert(0) += 1;
}

/// The newest rollout as it was when it had begun, or over.
fn set_rollout(fleet: &Fleet, state: &str) {
    let newest = "(SELECT rollout_id FROM pgfleet.rollouts ORDER BY began_at DESC LIMIT 1)";
    let sql = format!(
        "UPDATE pgfleet.rollouts SET state = '{state}', note = '', ended_at = NULL \
         WHERE rollout_id = {newest}; \
         UPDATE pgfleet.rollout_targets SET state = 'waiting', attempts = 0, holder = NULL, \
         versions = NULL, headline = '', problem = NULL, began_at = NULL, ended_at = NULL \
         WHERE rollout_id = {newest}; \
         DELETE FROM pgfleet.rollout_waves WHERE rollout_id = {newest}"
    );
    fleet.sql("all_01", &sql);
}

/// Cuts all connections at once behind a message of what comes after the rehearsal, of runs that
/// succeed and of runs in which a target fails: by default behind a few, see [`cuts`].
#[test]
fn a_rehearsed_run_cut_behind_any_message_ends_wholly_old_or_wholly_new() {
    let fleet = apart_with_ways_back(2);
    fleet.ends(&["apply", "--group", "all_of_them", "--to", "0001"], 0);
    fleet.atomic(&[], 0);
    let (mut seen, mut traffic) = (Seen::new(), Vec::new());
    for fails in [false, true] {
        let begin = |fleet: &Fleet| {
            again(fleet, 2, fails);
            set_rollout(fleet, "running");
        };
        begin(&fleet);
        let all = cut(&fleet, None);
        traffic.extend(all);
        for (direction, messages) in all {
            for after in cuts(messages * 2 / 3, messages, 1) {
                begin(&fleet);
                let context = if fails { "a run that fails" } else { "a run" };
                cut_and_settle(&fleet, (direction, after), context, &mut seen);
            }
        }
    }
    println!("{traffic:?}; the rollout's state when all was cut, and wholly new: {seen:?}");
}

/// The same from the beginning on, while ways back are proven and targets rehearse.
#[test]
fn a_rehearsal_cut_behind_any_message_changes_nothing_or_ends_as_a_whole() {
    let fleet = apart_with_ways_back(2);
    fleet.ends(&["apply", "--group", "all_of_them", "--to", "0001"], 0);
    let mut seen = Seen::new();
    let all = cut(&fleet, None);
    for (direction, messages) in all {
        for after in cuts(messages / 3, messages, 1) {
            again(&fleet, 2, false);
            set_rollout(&fleet, "taken_back");
            cut_and_settle(&fleet, (direction, after), "a whole run", &mut seen);
        }
    }
    println!("{all:?}; the rollout's state when all was cut, and wholly new: {seen:?}");
    again(&fleet, 2, false);
    fleet.atomic(&[], 0);
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'pgfleet_scratch%'";
    assert_eq!(fleet.value("postgres", left), "0", "no copies are left");
}

fn state(fleet: &Fleet) -> String {
    fleet.value("all_01", "SELECT state FROM pgfleet.rollouts ORDER BY began_at DESC LIMIT 1")
}

fn count(fleet: &Fleet) -> u32 {
    fleet.value("all_01", "SELECT count(*) FROM pgfleet.rollouts").parse().expect("a number")
}
