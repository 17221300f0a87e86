//! Runs that are killed anywhere, by anything, are finished by the same command.
//!
//! Every statement of the project that is killed writes what it did into `log`, in the transaction
//! that does it; so what ran twice shows. `PGFLEET_KILLS` is the number of kills per way of killing.

use std::{
    fmt::Write as _,
    thread::sleep,
    time::{Duration, Instant},
};

use pgfleet_testkit::{
    Cluster, TestDb,
    proxy::{Direction, Proxy, Traffic},
};

use crate::stage::{Stage, assert_says, wait_until};

const MIGRATIONS: usize = 60;

/// Kills per way of killing unless `PGFLEET_KILLS` says otherwise.
const KILLS: u64 = 8;

fn kills() -> u64 {
    std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

/// Whole transactions, files of several units, and `CONCURRENTLY`, in turns; with the way back.
fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for n in 1..=MIGRATIONS {
        let (up, down) = file(n);
        files.push((format!("{n:04}_m.up.sql"), up));
        files.push((format!("{n:04}_m.down.sql"), down));
    }
    files
}

fn file(n: usize) -> (String, String) {
    let log = |what: &str| format!("INSERT INTO log (what) VALUES ('{n} {what}');\n");
    let up = log("up");
    let down = log("down");
    match n {
        1 => (
            format!(
                "CREATE TABLE log (id bigserial, what text);\nCREATE TABLE base (id int, t text);\nINSERT INTO base SELECT g, 'x' FROM generate_series(1, 3000) g;\n{up}"
            ),
            "DROP TABLE base;\n".to_owned(),
        ),
        _ if n.is_multiple_of(5) => (
            format!("CREATE INDEX CONCURRENTLY i{n} ON base (id, t);\n"),
            format!("DROP INDEX CONCURRENTLY i{n};\n"),
        ),
        _ if n.is_multiple_of(7) => (
            format!(
                "{}SET search_path = public;\nCREATE INDEX CONCURRENTLY i{n}a ON base (t);\n{}VACUUM base;\nBEGIN;\nCREATE TABLE t{n} (id int);\n{}COMMIT;\nCREATE INDEX CONCURRENTLY ON t{n} (id);\nDROP INDEX CONCURRENTLY i{n}a;\nCREATE INDEX CONCURRENTLY i{n}b ON base (t);\n{}REINDEX INDEX CONCURRENTLY i{n}b;\n",
                log("up 1"),
                log("up 2"),
                log("up 3"),
                log("up 4"),
            ),
            format!(
                "{}DROP INDEX CONCURRENTLY i{n}b;\n{}DROP TABLE t{n};\n",
                log("down 1"),
                log("down 2")
            ),
        ),
        _ if n.is_multiple_of(11) => (
            format!("CREATE TABLE t{n} (id int);\nCOPY t{n} FROM stdin;\n1\n2\n\\.\n{up}"),
            format!("{down}DROP TABLE t{n};\n"),
        ),
        _ => (
            format!("CREATE TABLE t{n} (id serial PRIMARY KEY, r int REFERENCES t{n});\n{up}"),
            format!("{down}DROP TABLE t{n};\n"),
        ),
    }
}

fn stage_on(db: TestDb) -> Stage {
    let stage = Stage::on(db, &[]);
    for (name, sql) in files() {
        stage.write(&name, sql);
    }
    stage.project.write(
        "pgfleet.toml",
        "[migrations]\nformat = 'plain'\n[apply]\nlock_timeout_ms = 10000\nlock_wait_ms = 60000\n",
    );
    stage
}

/// What a run leaves: schema, history, what was done, and what must not be left.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    schema: String,
    history: String,
    log: String,
    rows: String,
    invalid: String,
    open: String,
}

fn left(stage: &Stage) -> Left {
    let value = |sql: &str| stage.db.value(sql);
    Left {
        schema: stage.schema(),
        history: value(
            "SELECT string_agg(version || ':' || coalesce(checksum, ''), ' ' ORDER BY applied_at, version) FROM pgfleet.migrations",
        ),
        log: value("SELECT string_agg(what, ',' ORDER BY id) FROM log"),
        rows: value("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"),
        invalid: value(
            "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE NOT indisvalid",
        ),
        open: value("SELECT count(*) FROM pgfleet.steps WHERE NOT closed"),
    }
}

struct Undisturbed {
    up: Left,
    up_time: Duration,
    down: Left,
    down_time: Duration,
}

const APPLY: &[&str] = &["apply"];
const BACK: &[&str] = &["rollback", "--to", "0001", "--allow-data-loss"];

fn undisturbed() -> Undisturbed {
    let stage = stage_on(TestDb::new());
    let begun = Instant::now();
    stage.run(APPLY).assert_success();
    let (up_time, up) = (begun.elapsed(), left(&stage));
    assert_eq!(up.history.split(' ').count(), MIGRATIONS);
    stage.run(BACK).assert_success();
    let took = "SELECT extract(epoch FROM ended_at - started_at) FROM pgfleet.runs \
                WHERE command = 'rollback'";
    let down_time = Duration::from_secs_f64(stage.db.value(took).parse().expect("seconds"));
    Undisturbed { up, up_time, down_time, down: left(&stage) }
}

/// A way back is tried on a copy first, which is no time to be killed at.
fn wait_until_it_goes_back(stage: &Stage) {
    wait_until(&stage.db, "SELECT EXISTS (SELECT FROM pgfleet.runs WHERE command = 'rollback')");
}

/// splitmix64, for moments that differ and can be repeated.
fn random(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A moment of a run, from its first to a little after its usual end.
fn moment(seed: u64, run: Duration) -> Duration {
    run.mul_f64((random(seed) % 1_100) as f64 / 1_000.0)
}

#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    in_the_middle: u64,
    resumes: u64,
}

impl Tally {
    fn report(&self, what: &str) {
        println!("{what}: {self:?}");
        assert!(
            self.in_the_middle * 4 > self.kills,
            "most kills came too late or too early: {self:?}"
        );
    }

    /// Counts a kill that left some migrations done and some not.
    fn count(&mut self, stage: &Stage) {
        self.kills += 1;
        let there = "SELECT to_regclass('pgfleet.migrations') IS NOT NULL";
        let done = if stage.db.value(there) == "t" {
            stage.db.value("SELECT count(*) FROM pgfleet.migrations")
        } else {
            "0".to_owned()
        };
        if done != "0" && done != MIGRATIONS.to_string() {
            self.in_the_middle += 1;
        }
    }
}

/// Runs the command until it succeeds; the first time must do, unless the server is coming up.
fn finish(stage: &Stage, args: &[&str], wanted: &Left, tally: &mut Tally, context: &str) {
    let mut output = stage.run(args);
    let deadline = Instant::now() + Duration::from_secs(15);
    while output.code == 3 && Instant::now() < deadline {
        sleep(Duration::from_millis(100));
        output = stage.run(args);
    }
    tally.resumes += 1;
    assert_eq!(output.code, 0, "{context}\n{}\n{}", output.stdout, output.stderr);
    assert_eq!(&left(stage), wanted, "{context}");
}

fn killed_at_random_moments(
    cluster: &Cluster,
    seeds: std::ops::Range<u64>,
    kill: impl Fn(&Stage, &mut pgfleet_testkit::cli::Running),
) -> Tally {
    let usual = undisturbed();
    let mut tally = Tally::default();
    for seed in seeds {
        let stage = stage_on(TestDb::on(cluster));
        let back = seed & 3 == 3;
        let (args, time, wanted) = if back {
            (BACK, usual.down_time, &usual.down)
        } else {
            (APPLY, usual.up_time, &usual.up)
        };
        if back {
            stage.run(APPLY).assert_success();
        }
        let mut running = stage.spawn(args);
        if back {
            wait_until_it_goes_back(&stage);
        }
        sleep(moment(seed, time));
        kill(&stage, &mut running);
        drop(running);
        tally.count(&stage);
        finish(&stage, args, wanted, &mut tally, &format!("seed {seed}, {args:?}"));
    }
    tally
}

#[test]
fn a_killed_pgfleet_is_resumed() {
    let usual = undisturbed();
    let mut tally = Tally::default();
    for seed in 0..kills() {
        let stage = stage_on(TestDb::new());
        let mut running = stage.spawn(APPLY);
        sleep(moment(seed, usual.up_time));
        running.kill();
        drop(running);
        tally.count(&stage);
        finish(&stage, APPLY, &usual.up, &mut tally, &format!("seed {seed}"));
    }
    tally.report("SIGKILL of pgfleet");
}

#[test]
fn a_killed_rollback_is_resumed() {
    let usual = undisturbed();
    let mut tally = Tally::default();
    for seed in 0..kills().div_ceil(2) {
        let stage = stage_on(TestDb::new());
        stage.run(APPLY).assert_success();
        let mut running = stage.spawn(BACK);
        wait_until_it_goes_back(&stage);
        sleep(moment(seed + 1_000, usual.down_time));
        running.kill();
        drop(running);
        tally.count(&stage);
        finish(&stage, BACK, &usual.down, &mut tally, &format!("seed {seed}"));
    }
    println!("rollback: {tally:?}");
}

/// A cluster whose commits are as they are in production: a crash may lose the last of them.
fn crashing_cluster() -> Cluster {
    Cluster::fresh().durable().setting("wal_writer_delay", "200ms").start()
}

/// Ends one of pgfleet's server processes through SQL.
pub fn terminate(stage: &Stage, holds_worker_lock: bool) {
    let sign = if holds_worker_lock { "" } else { "NOT" };
    stage.db.sql(&format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity a WHERE datname = current_database() \
         AND application_name LIKE 'pgfleet%' AND {sign} EXISTS (SELECT 1 FROM pg_locks l \
         WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.objid = 1701147650)"
    ));
}

#[test]
fn a_terminated_session_of_either_kind_is_resumed() {
    let tally = killed_at_random_moments(&Cluster::shared(), 0..kills(), |stage, running| {
        terminate(stage, running.pid() % 2 == 0);
        assert!(running.wait_for(Duration::from_secs(60)), "it must notice");
    });
    println!("pg_terminate_backend: {tally:?}");
}

#[test]
fn a_crashed_server_is_resumed() {
    let cluster = crashing_cluster();
    let tally = killed_at_random_moments(&cluster, 0..kills().div_ceil(2), |stage, running| {
        let pid = stage.db.value("SELECT max(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pgfleet%'");
        if let Ok(pid) = pid.parse() {
            kill_process(pid);
        }
        assert!(running.wait_for(Duration::from_secs(60)), "it must notice");
        wait_for_server(stage);
    });
    println!("SIGKILL of a server process: {tally:?}");
}

fn kill_process(pid: i32) {
    let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    // It may have ended by itself.
    let _ = killed;
}

/// After a crash the server ends every session and recovers.
fn wait_for_server(stage: &Stage) {
    let deadline = Instant::now() + Duration::from_secs(20);
    sleep(Duration::from_millis(50));
    while stage.db.psql("SELECT 1").code != 0 {
        assert!(Instant::now() < deadline, "the server does not come back");
        sleep(Duration::from_millis(50));
    }
}

/// The cuts are spread over the bytes of a run, so that with enough of them one falls into every
/// message.
#[test]
fn a_connection_cut_between_any_two_steps_is_resumed() {
    let usual = undisturbed();
    let mut tally = Tally::default();
    let Traffic { bytes_to_server: sent, bytes_to_client: received, .. } = traffic_of_a_run();
    for seed in 0..kills() {
        let stage = stage_on(TestDb::new());
        let proxy = Proxy::before(stage.db.cluster(), Duration::ZERO);
        let (direction, bytes) = if seed % 2 == 0 {
            (Direction::ToServer, sent)
        } else {
            (Direction::ToClient, received)
        };
        proxy.cut_after(direction, (seed / 2 * 2 * bytes + random(seed) % (2 * bytes)) / kills());
        let output = stage.cli_at(&proxy.through(&stage.db.url()), APPLY).run();
        assert!(
            matches!(output.code, 0 | 3 | 4),
            "seed {seed}: {}\n{}",
            output.code,
            output.stderr
        );
        tally.count(&stage);
        finish(&stage, APPLY, &usual.up, &mut tally, &format!("seed {seed}"));
    }
    println!("connection cut: {tally:?}");
}

/// What a run sends and receives.
fn traffic_of_a_run() -> Traffic {
    let stage = stage_on(TestDb::new());
    let proxy = Proxy::before(stage.db.cluster(), Duration::ZERO);
    stage.cli_at(&proxy.through(&stage.db.url()), APPLY).run().assert_success();
    proxy.traffic()
}

/// Cuts the connection exactly behind a message of the protocol. With `PGFLEET_BOUNDARIES=all`
/// behind every one that a run sends or receives; else behind so many of each direction.
#[test]
fn a_connection_cut_behind_any_message_is_resumed() {
    let usual = undisturbed();
    let traffic = traffic_of_a_run();
    let wanted = std::env::var("PGFLEET_BOUNDARIES").unwrap_or_default();
    let mut tally = Tally::default();
    for (direction, messages) in [
        (Direction::ToServer, traffic.messages_to_server),
        (Direction::ToClient, traffic.messages_to_client),
    ] {
        let cuts =
            if wanted == "all" { messages } else { wanted.parse().unwrap_or(kills().div_ceil(2)) };
        for cut in 0..cuts {
            let after = 1 + cut * messages / cuts;
            let stage = stage_on(TestDb::new());
            let proxy = Proxy::before(stage.db.cluster(), Duration::ZERO);
            proxy.cut_after_messages(direction, after);
            let output = stage.cli_at(&proxy.through(&stage.db.url()), APPLY).run();
            let context = format!("cut {direction:?} behind message {after} of {messages}");
            let code = output.code;
            assert!(matches!(code, 0 | 3 | 4), "{context}: {code}\n{}", output.stderr);
            tally.count(&stage);
            finish(&stage, APPLY, &usual.up, &mut tally, &context);
        }
        println!("{messages} messages {direction:?}, {cuts} cuts: {tally:?}");
    }
}

#[test]
fn the_next_run_waits_for_what_a_killed_run_left_working() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE log (t text);"),
        ("0002_b.sql", "SELECT pg_sleep(2); INSERT INTO log VALUES ('once');"),
        ("0003_c.sql", "INSERT INTO log VALUES ('after');"),
    ]);
    let mut running = stage.spawn(APPLY);
    wait_until(
        &stage.db,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
    );
    running.kill();
    drop(running);
    let begun = Instant::now();
    let output = stage.run(&["apply", "--verbose"]).assert_success();
    assert!(begun.elapsed() > Duration::from_secs(1), "it waited for the orphan");
    assert_says(&output.stderr, &["pgfleet's migration lock", "application pgfleet"]);
    assert_eq!(stage.db.value("SELECT string_agg(t, ' ') FROM log"), "once after");
    assert_eq!(stage.versions(), "0001 0002 0003");
}

#[test]
fn a_unit_that_was_tried_again_leaves_those_before_it_alone() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE log (t text); CREATE TABLE busy (id int);"),
        (
            "0002_b.sql",
            "INSERT INTO log VALUES ('first');\nVACUUM log;\nALTER TABLE busy ADD c int;\n",
        ),
    ]);
    stage.project.write("pgfleet.toml", "[apply]\nlock_timeout_ms = 100\nattempts = 2\n");
    stage.run(&["apply", "--steps", "1"]).assert_success();
    let blocker = block(&stage, "LOCK TABLE busy");
    let stderr = stage.ends(APPLY, 4);
    assert_says(&stderr, &["PF305"]);
    drop(blocker);
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM log"), "1");
}

/// A transaction that is open until the value is dropped.
pub fn block(stage: &Stage, sql: &str) -> Blocker {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let client = runtime.block_on(async {
        let client = stage.db.connect().await;
        client
            .batch_execute(&format!("SET application_name = 'the blocker'; BEGIN; {sql}"))
            .await
            .expect("block");
        client
    });
    Blocker { _client: client, _runtime: runtime }
}

/// See [`block`].
pub struct Blocker {
    _client: tokio_postgres::Client,
    _runtime: tokio::runtime::Runtime,
}

#[test]
fn a_refused_statement_may_be_corrected_in_the_file() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1);"),
        (
            "0002_b.sql",
            "ALTER TABLE a ADD b int;\nCREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\nALTER TABLE a ADD c int;",
        ),
    ]);
    stage.ends(APPLY, 4);
    assert_eq!(stage.db.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    stage.write("0002_b.sql", "ALTER TABLE a ADD b int;\nCREATE INDEX CONCURRENTLY a_id2 ON a (id);\nALTER TABLE a ADD c int;");
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002");
    stage.ends(APPLY, 0);
}

#[test]
fn what_is_left_of_a_corrected_file_is_not_run_twice() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "CREATE TABLE a (id int);\nCREATE UNIQUE INDEX CONCURRENTLY i ON a (nothing);",
    )]);
    stage.ends(APPLY, 4);
    stage.write("0001_a.sql", "CREATE TABLE a (id int);\n");
    stage.apply();
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT count(*) FROM pgfleet.steps WHERE NOT closed"), "0");
}

#[test]
fn a_part_that_is_done_may_not_be_edited() {
    let stage =
        Stage::of(&[("0001_a.sql", "CREATE TABLE a (id int);\nVACUUM a;\nSELECT nothing;")]);
    stage.ends(APPLY, 4);
    stage.write("0001_a.sql", "CREATE TABLE b (id int);\nVACUUM b;\nSELECT 1;");
    assert_says(&stage.ends(APPLY, 4), &["PF405"]);
    stage.run(&["resolve", "--rolled-back", "0001"]).assert_success();
    stage.apply();
    assert_eq!(stage.db.value("SELECT to_regclass('b') IS NOT NULL"), "t");
}

#[test]
fn an_outcome_that_cannot_be_told_is_asked_for() {
    let stage = Stage::of(&[("0001_a.sql", "CREATE TABLE a (id int);\nCOMMIT PREPARED 'it';\n")]);
    stage.db.sql("CREATE TABLE was_prepared (id int)");
    stage.ends(APPLY, 4);
    let sql = "UPDATE pgfleet.steps SET hash = (SELECT encode(sha256('COMMIT PREPARED ''it'';'::bytea), 'hex')) WHERE unit = 1";
    stage.db.sql(sql);
    assert_says(&stage.ends(APPLY, 4), &["PF318", "pgfleet resolve --applied 0001"]);
    stage.run(&["resolve", "--applied", "0001"]).assert_success();
    assert_eq!(stage.versions(), "0001");
    stage.ends(APPLY, 0);
}

#[test]
fn other_tools_histories_are_resumed_too() {
    for (folder, file, history) in [
        (
            "prisma/migrations/20240101000001_a",
            "migration.sql",
            "SELECT count(*) || ' ' || count(finished_at) FROM _prisma_migrations",
        ),
        (
            "migrations",
            "000001_a.up.sql",
            "SELECT count(*) || ' ' || count(*) FILTER (WHERE NOT dirty) FROM schema_migrations",
        ),
    ] {
        let stage = Stage::of(&[]);
        let mut sql = String::from("CREATE TABLE log (t text);\n");
        for n in 0..4 {
            let _ = write!(
                sql,
                "INSERT INTO log VALUES ('{n}');\nCREATE INDEX CONCURRENTLY i{n} ON log (t);\n"
            );
        }
        stage.project.write(format!("{folder}/{file}"), format!("{sql}SELECT pg_sleep(20);"));
        stage.project.write("migrations/000001_a.down.sql", "DROP TABLE log;");
        stage.project.write("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n");
        let dir = folder.split("/2024").next().unwrap();
        let format = if dir == "migrations" { "golang-migrate" } else { "prisma" };
        let cli = |args: &[&str]| {
            stage.project.pgfleet(args.iter().copied()).args([
                "--url",
                &stage.db.url(),
                "--dir",
                dir,
                "--format",
                format,
            ])
        };
        let mut running = cli(APPLY).spawn();
        wait_until(
            &stage.db,
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
        );
        running.kill();
        drop(running);
        terminate(&stage, true);
        // Between the start that the history records and the first part.
        stage.db.sql("DELETE FROM pgfleet.steps WHERE unit > 0; UPDATE pgfleet.steps SET state = 'intent', hash = ''; DROP TABLE log");
        stage.project.write(format!("{folder}/{file}"), sql);
        cli(APPLY).run().assert_success();
        assert_eq!(stage.db.value(history), "1 1", "{format}");
        assert_eq!(stage.db.value("SELECT count(*) FROM log"), "4");
    }
}

/// A file whose second part is interrupted as often as it is begun.
fn interrupted(sql: &str) -> Stage {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int); CREATE INDEX b ON a (id);"),
        ("0002_b.sql", sql),
    ]);
    stage.project.write("pgfleet.toml", "[apply]\nlock_timeout_ms = 20000\n");
    stage.run(&["apply", "--steps", "1"]).assert_success();
    for _ in 0..2 {
        let blocker = block(&stage, "INSERT INTO a VALUES (1)");
        let mut running = stage.spawn(APPLY);
        wait_until(
            &stage.db,
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%CONCURRENTLY%'",
        );
        running.kill();
        terminate(&stage, true);
        drop(blocker);
    }
    stage
}

#[test]
fn an_index_without_a_name_is_made_once() {
    let stage = interrupted("CREATE INDEX CONCURRENTLY ON a (id);");
    stage.apply();
    let indexes = "SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ',' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 'a'::regclass";
    assert_eq!(stage.db.value(indexes), "a_id_idx true,b true");
    stage.db.sql("UPDATE pgfleet.steps SET state = 'intent', closed = false WHERE version = '0002'; DELETE FROM pgfleet.migrations WHERE version = '0002'");
    stage.db.sql("DROP INDEX a_id_idx; CREATE INDEX made_since ON a (id)");
    stage.apply();
    assert_eq!(
        stage.db.value(indexes),
        "b true,made_since true",
        "it happened before the outcome was written"
    );
}

#[test]
fn what_an_interrupted_reindex_left_is_dropped() {
    let stage = interrupted("REINDEX INDEX CONCURRENTLY b;");
    assert_eq!(
        stage.db.value(
            "SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass AND NOT indisvalid"
        ),
        "1"
    );
    stage.apply();
    assert_eq!(stage.db.value("SELECT string_agg(indexrelid::regclass::text, ',') FROM pg_index WHERE indrelid = 'a'::regclass"), "b");
}
