//! Rollouts: waves, stop rules, taking back, several processes, and processes that die.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pgfleet_testkit::cli::Running;
use serde_json::Value;

use crate::fleet::{Fleet, toml};

const UP: &str = "-- migrate:up\n";
const DOWN: &str = "\n-- migrate:down\n";

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("org_{n:02}")).collect()
}

/// A group of databases with two migrations that can be taken back.
fn orgs(count: usize, rollout: &str) -> Fleet {
    let names = names(count);
    let fleet = Fleet::of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    fleet.configure(&format!(
        "[groups.orgs]\nserver = {}\ndatabases = \"org_*\"\ndir = \"migrations\"\n\
         format = \"dbmate\"\n[rollout]\n{rollout}\n",
        toml(&fleet.main.url())
    ));
    let items = format!("{UP}CREATE TABLE items (id int);{DOWN}DROP TABLE items;\n");
    fleet.migration("0001_items.sql", &items);
    let qty = format!("{UP}INSERT INTO items VALUES (1);{DOWN}DELETE FROM items;\n");
    fleet.migration("0002_rows.sql", &qty);
    fleet
}

impl Fleet {
    #[track_caller]
    fn rollout(&self, args: &[&str], code: i32) -> String {
        let output = self.ends(&[&["rollout"], args, &["--group", "orgs"]].concat(), code);
        output.stdout + &output.stderr
    }

    /// How many targets the manifest has in each state.
    fn states(&self) -> String {
        let sql = "SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (SELECT t.state, \
                   count(*) AS n FROM pgfleet.rollout_targets t JOIN pgfleet.rollouts r USING (rollout_id) \
                   WHERE r.began_at = (SELECT max(began_at) FROM pgfleet.rollouts) GROUP BY 1) AS s";
        self.value("org_01", sql)
    }

    fn applied(&self, database: &str) -> String {
        let there = "SELECT to_regclass('schema_migrations') IS NOT NULL";
        if self.value(database, there) == "f" {
            return String::new();
        }
        self.value(
            database,
            "SELECT string_agg(version, ' ' ORDER BY version) FROM schema_migrations",
        )
    }
}

#[track_caller]
fn says(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

#[test]
fn waves_wait_for_a_person_who_asks_for_it() {
    let fleet = orgs(6, "canaries = [\"org_04\"]\nwaves = [2]");
    says(&fleet.rollout(&["status"], 2), &["error[PF157]"]);
    let text = fleet.rollout(&["start", "--confirm"], 5);
    says(
        &text,
        &["paused, 6 targets", "wave 1: 1 done, passed", "wave 3: 3 waiting", "error[PF462]"],
    );
    assert_eq!(
        (fleet.applied("org_04").as_str(), fleet.applied("org_01").as_str()),
        ("0001 0002", "")
    );
    fleet.rollout(&["start"], 5);
    fleet.rollout(&["resume"], 5);
    says(&fleet.rollout(&["resume"], 0), &["done, 6 targets", "wave 3: 3 done, passed"]);
    says(&fleet.rollout(&["take-back"], 5), &["error[PF402]"]);
    says(&fleet.rollout(&["take-back", "--allow-data-loss"], 0), &["taken back"]);
    for name in names(6) {
        assert_eq!(fleet.applied(&name), "");
    }
    let found = fleet.json(&["rollout", "status", "--group", "orgs"], 0);
    assert_eq!(found["targets"][3]["wave"], 1);
    assert_eq!(found["targets"][0]["state"], "taken_back");
    assert_eq!(found["targets"][0]["versions"], Value::from(["0001", "0002"].to_vec()));
}

#[test]
fn a_failure_stops_what_has_not_begun_and_trying_again_continues() {
    let fleet = orgs(6, "waves = [1, 1]");
    fleet.sql("org_02", "CREATE TABLE items (id text)");
    let text = fleet.rollout(&["start"], 6);
    says(&text, &["halted", "wave 2: 1 failed", "org_02: PF301", "error[PF541]", "error[PF301]"]);
    assert_eq!(fleet.states(), "done 1, failed 1, waiting 4");
    says(&fleet.rollout(&["start", "--max-failures", "3"], 5), &["error[PF460]"]);
    fleet.migration("0003_more.sql", &format!("{UP}SELECT 1;{DOWN}SELECT 1;"));
    says(&fleet.rollout(&["resume"], 5), &["error[PF461]"]);
    std::fs::remove_file(fleet.project.path().join("migrations/0003_more.sql")).expect("removed");
    fleet.sql("org_02", "DROP TABLE items");
    says(&fleet.rollout(&["start"], 0), &["done, 6 targets", "report: .pgfleet/runs/"]);
    assert_eq!(fleet.states(), "done 6");
    let junit = fleet.ends(&["rollout", "status", "--group", "orgs", "--output", "junit"], 0);
    says(&junit.stdout, &["tests=\"6\"", "failures=\"0\"", "org_06"]);
    let found = fleet.json(&["rollout", "status", "--group", "orgs"], 0);
    let times = found["targets"].as_array().expect("targets").iter();
    let times: Vec<_> = times.filter_map(|one| one["elapsed_ms"].as_f64()).collect();
    assert!(times.len() == 6 && times.iter().all(|ms| (0.1..60_000.0).contains(ms)), "{times:?}");
}

#[test]
fn failures_that_may_be_do_not_stop_the_others() {
    let fleet = orgs(4, "max_failures = 1");
    fleet.sql("org_02", "CREATE TABLE items (id text)");
    says(&fleet.rollout(&["start"], 6), &["done, 4 targets", "3 done, 1 failed"]);
}

#[test]
fn what_was_changed_is_taken_back_when_that_is_the_rule() {
    let fleet = orgs(5, "waves = [2]\non_failure = \"take-back\"");
    fleet.sql("org_05", "CREATE TABLE items (id text)");
    says(&fleet.rollout(&["start"], 6), &["taken back, 5 targets"]);
    for name in names(5) {
        assert_eq!(fleet.applied(&name), "", "{name}");
    }
    assert_eq!(fleet.value("org_05", "SELECT count(*) FROM items"), "0", "what was there stays");
}

#[test]
fn what_others_built_upon_is_not_taken_back() {
    let fleet = orgs(2, "");
    fleet.rollout(&["start"], 0);
    fleet.migration("0003_more.sql", &format!("{UP}SELECT 1;{DOWN}SELECT 1;"));
    fleet.ends(&["apply", "--group", "orgs", "--only", "org_02"], 0);
    std::fs::remove_file(fleet.project.path().join("migrations/0003_more.sql")).expect("removed");
    fleet.sql("org_01", "UPDATE pgfleet.rollouts SET state = 'done'");
    let text = fleet.rollout(&["take-back", "--allow-data-loss"], 6);
    says(&text, &["1 taken back, 1 could not be taken back"]);
    assert_eq!(fleet.applied("org_02"), "0001 0002 0003");
}

#[test]
fn a_wave_is_left_behind_only_when_its_checks_hold() {
    let check = "waves = [1]\n[[rollout.check]]\nkind = \"sql\"\nname = \"rows\"\n\
                 query = \"SELECT count(*) FROM items\"\nequals = 2";
    let fleet = orgs(3, check);
    let text = fleet.rollout(&["start"], 6);
    says(&text, &["halted", "after wave 1", "wave 2: 2 waiting", "rows: expected"]);
    fleet.sql("org_01", "INSERT INTO items VALUES (2)");
    let text = fleet.rollout(&["resume"], 6);
    says(&text, &["after wave 2", "wave 1: 1 done, passed"]);
    says(&fleet.rollout(&["abort"], 0), &["aborted"]);
    says(&fleet.rollout(&["resume"], 2), &["error[PF157]"]);
}

/// A service that is well or not, as the flag says.
fn service(is_well: &Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/health", listener.local_addr().expect("an address"));
    let is_well = is_well.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            while request.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let status = if is_well.load(Ordering::SeqCst) { "200 OK" } else { "503 Down" };
            let answer =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            // A client that went away is no failure of the service.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_wave_is_left_behind_only_while_the_application_is_well() {
    let is_well = Arc::new(AtomicBool::new(false));
    let url = service(&is_well);
    let probe = format!(
        "canaries = [\"org_02\"]\n[[rollout.check]]\nkind = \"http\"\nname = \"the app\"\n\
         url = \"{url}\"\nstatus = 200"
    );
    let fleet = orgs(3, &probe);
    let text = fleet.rollout(&["start"], 6);
    says(&text, &["halted", "after wave 1", "the app: expected", "503", "wave 2: 2 waiting"]);
    assert_eq!(fleet.states(), "done 1, waiting 2");
    is_well.store(true, Ordering::SeqCst);
    says(&fleet.rollout(&["resume"], 0), &["done, 3 targets", "wave 1: 1 done, passed"]);
    assert_whole(&fleet, 3);
}

/// A migration that waits on a target until its table `go` has a row.
const WAITS: &str =
    "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;";

#[test]
fn a_pause_lets_what_is_at_work_end_and_begins_nothing_else() {
    let fleet = orgs(4, "");
    for name in names(4) {
        fleet.sql(&name, "CREATE TABLE go ()");
    }
    fleet.migration("0003_waits.sql", &format!("{UP}{WAITS}{DOWN}SELECT 1;"));
    let start = ["rollout", "start", "--group", "orgs", "--concurrency", "1"];
    let process = fleet.cli(&start).spawn();
    for _ in 0..600 {
        if fleet.value("org_01", "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%SELECT FROM go%' AND pid <> pg_backend_pid()") != "0" {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    says(
        &fleet.rollout(&["pause"], 5),
        &["paused", "1 target being worked on right now", "error[PF462]", "paused by a person"],
    );
    assert_eq!(fleet.states(), "running 1, waiting 3");
    for name in names(4) {
        fleet.sql(&name, "INSERT INTO go DEFAULT VALUES");
    }
    let output = process.wait();
    assert_eq!(output.code, 5, "{}{}", output.stdout, output.stderr);
    assert_eq!(fleet.states(), "done 1, waiting 3");
    assert_eq!(
        (fleet.applied("org_01").as_str(), fleet.applied("org_02").as_str()),
        ("0001 0002 0003", "")
    );
    says(&fleet.rollout(&["start"], 5), &["error[PF462]"]);
    says(&fleet.rollout(&["resume"], 0), &["done, 4 targets"]);
    assert_eq!(fleet.states(), "done 4");
    let attempts = "SELECT string_agg(attempts::text, '') FROM pgfleet.rollout_targets";
    assert_eq!(fleet.value("org_01", attempts), "1111");
}

fn spawn(fleet: &Fleet) -> Running {
    fleet.cli(&["rollout", "start", "--group", "orgs", "--concurrency", "2"]).spawn()
}

/// Every target is wholly new, everything ran once, and the manifest says so.
fn assert_whole(fleet: &Fleet, count: usize) {
    fleet.rollout(&["start"], 0);
    assert_eq!(fleet.states(), format!("done {count}"));
    for name in names(count) {
        assert_eq!(fleet.applied(&name), "0001 0002", "{name}");
        assert_eq!(fleet.value(&name, "SELECT count(*) FROM items"), "1", "{name}");
    }
}

#[test]
fn several_processes_share_a_rollout_and_nothing_runs_twice() {
    let fleet = orgs(24, "waves = [\"30%\"]");
    let mut processes: Vec<_> = (0..3).map(|_| spawn(&fleet)).collect();
    for process in &mut processes {
        assert!(process.wait_for(Duration::from_secs(120)), "a process does not end");
    }
    for process in processes {
        let output = process.wait();
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    }
    let twice = "SELECT count(*) FROM pgfleet.rollout_targets WHERE attempts > 1";
    assert_eq!(fleet.value("org_01", twice), "0");
    assert_whole(&fleet, 24);
}

/// `PGFLEET_KILLS` is the number of rounds, each with one, two or three processes; when all targets
/// are done, others begin.
#[test]
fn processes_that_die_lose_their_leases_and_nothing_else() {
    let kills = std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok());
    let mut rounds = kills.unwrap_or(12);
    while rounds > 0 {
        let those = rounds.min(12);
        processes_die(those);
        rounds -= those;
    }
}

fn processes_die(rounds: u64) {
    let fleet = orgs(24, "waves = [\"30%\"]");
    // Times grow, so that processes die in the beginning, in the middle and near the end.
    for (round, wait_ms) in (0..rounds).zip((40..).step_by(35)) {
        let mut processes: Vec<_> = (0..=(round % 3)).map(|_| spawn(&fleet)).collect();
        std::thread::sleep(Duration::from_millis(wait_ms));
        for process in &mut processes {
            process.kill();
        }
    }
    assert_whole(&fleet, 24);
}

#[test]
fn nothing_is_begun_or_promised_that_cannot_be_taken_back() {
    let fleet = orgs(3, "");
    fleet.migration("0003_forth.sql", &format!("{UP}CREATE TABLE more (id int);{DOWN}"));
    let text = fleet.rollout(&["start", "--on-failure", "take-back"], 6);
    says(&text, &["error[PF409]: 1 of 3 migrations", "0003_forth"]);
    assert_eq!(fleet.applied("org_01"), "");
    fleet.rollout(&["start"], 0);
    let text = fleet.rollout(&["take-back", "--allow-data-loss"], 5);
    says(&text, &["error[PF409]: 1 of 3 migrations"]);
    says(&fleet.rollout(&["status"], 0), &["done, 3 targets"]);
}
