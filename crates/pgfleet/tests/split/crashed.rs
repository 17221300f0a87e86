//! A split and its rollback whose source or target loses a backend to SIGKILL are finished by the same
//! command. PostgreSQL then throws out all sessions and recovers from its log; the servers here have
//! `synchronous_commit = off` and write the log late, so that a crash takes every commit that nobody
//! waited for. `PGFLEET_KILLS` is the number of kills of each, usually one.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use pgfleet_testkit::{Cluster, ProgramOutput, TestDb};

use super::killed::{finish_rollback, kills_or, timed};
use super::{Stage, assert_says};

/// Waits for a backend of pgfleet's, in the midst of `$AIM` where there is a chance, and kills it
/// within milliseconds, which ends this session too.
const KILL: &str = r#"DO $kill$ DECLARE victim record; aimed boolean := false;
BEGIN
  LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT pid, regexp_replace(query, '\s.*', '') AS verb INTO victim FROM pg_stat_activity
      WHERE application_name = 'pgfleet' AND (aimed OR query ~ '$AIM') ORDER BY random() LIMIT 1;
    IF victim.pid IS NOT NULL AND NOT aimed AND random() < 0.5 THEN
      aimed := true;
      PERFORM pg_sleep(random() * 0.02);
      CONTINUE;
    END IF;
    IF victim.pid IS NOT NULL THEN
      RAISE WARNING 'met %', victim.verb;
      BEGIN
        EXECUTE format('COPY (SELECT 1) TO PROGRAM $sh$kill -9 %s$sh$', victim.pid);
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
    END IF;
    PERFORM pg_sleep(0.001);
  END LOOP;
END $kill$"#;

fn crashes() -> u32 {
    kills_or(1)
}

fn forgetful() -> Cluster {
    let late = Cluster::fresh().setting("synchronous_commit", "off");
    late.setting("wal_writer_delay", "10s").start()
}

/// The source and the databases to fill on two servers, of which one crashes.
struct TwoServers {
    stage: Stage,
    victim: Cluster,
    /// What the backends that were killed had done last.
    met: Vec<String>,
}

impl TwoServers {
    fn losing(side: &str, orders: usize) -> Self {
        let (source, target) = (forgetful(), forgetful());
        let victim = if side == "source" { source.clone() } else { target.clone() };
        let stage = Stage::across(TestDb::on(&source), &target, orders);
        Self { stage, victim, met: Vec::new() }
    }

    /// Runs a command and kills one of its backends after `moment`: the first that does what `aim`
    /// says, or soon after. None when the command ends before.
    fn cut(&mut self, args: &[&str], moment: Duration, aim: &str) -> ProgramOutput {
        let running = self.stage.command(args).spawn();
        sleep(moment);
        let mut hunter = self.psql(&KILL.replace("$AIM", aim));
        let mut hunter = hunter.stderr(Stdio::piped()).spawn().unwrap();
        let cut = running.wait();
        let _ = hunter.kill();
        let said = hunter.wait_with_output().unwrap().stderr;
        let said = String::from_utf8_lossy(&said);
        let met = said.lines().filter_map(|line| line.split_once("met ")).next_back();
        self.met.extend(met.map(|(_, verb)| verb.to_owned()));
        self.wait_for_recovery();
        cut
    }

    fn psql(&self, sql: &str) -> Command {
        let mut psql = pgfleet_testkit::client_command("psql");
        psql.args(["-XqAt", "-d", &self.victim.url("postgres"), "-c", sql]);
        psql
    }

    fn ask(&self, sql: &str) -> ProgramOutput {
        ProgramOutput::of(&mut self.psql(sql))
    }

    fn wait_for_recovery(&self) {
        let begun = Instant::now();
        // A hunter that met nobody still waits there.
        let stop =
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^DO .kill'";
        while self.ask(stop).code != 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not come back");
            sleep(Duration::from_millis(20));
        }
    }

    /// Every second kill meets the move of rows, the others come at any moment.
    fn kill_splits(&mut self) {
        let whole = timed(&self.stage, &["split", "run"]);
        let undisturbed = self.stage.all();
        self.stage.run(&["split", "rollback"]).assert_success();
        for kill in 1..=crashes() {
            let (moment, aim) = match kill % 2 {
                0 => (whole * (kill - 1) / crashes(), ""),
                _ => (Duration::ZERO, "^COPY"),
            };
            let cut = self.cut(&["split", "run"], moment, aim);
            assert!([0, 3, 4, 5].contains(&cut.code), "{}", cut.stderr);
            self.stage.run(&["split", "run"]).assert_success();
            assert_eq!(self.stage.all(), undisturbed, "after kill {kill}");
            self.stage.run(&["split", "rollback"]).assert_success();
        }
        self.say_met();
    }

    fn kill_rollbacks(&mut self) {
        self.stage.run(&["split", "run"]).assert_success();
        let whole = timed(&self.stage, &["split", "rollback"]);
        for kill in 1..=crashes() {
            self.stage.run(&["split", "run"]).assert_success();
            let cut = self.cut(&["split", "rollback"], whole * (kill - 1) / crashes(), "");
            assert!([0, 3, 4, 5].contains(&cut.code), "{}", cut.stderr);
            finish_rollback(&self.stage, kill);
        }
        self.say_met();
    }

    fn say_met(&self) {
        let copies = self.met.iter().filter(|verb| *verb == "COPY").count();
        eprintln!("{} of {} kills met a backend, {copies} in COPY", self.met.len(), crashes());
        assert!(!self.met.is_empty(), "no kill met a backend");
    }
}

#[test]
fn a_split_whose_source_backend_is_killed_goes_on() {
    TwoServers::losing("source", 100).kill_splits();
}

#[test]
fn a_split_whose_target_backend_is_killed_goes_on() {
    TwoServers::losing("target", 100).kill_splits();
}

#[test]
fn a_rollback_whose_source_backend_is_killed_goes_on() {
    TwoServers::losing("source", 20).kill_rollbacks();
}

#[test]
fn a_rollback_whose_target_backend_is_killed_goes_on() {
    TwoServers::losing("target", 20).kill_rollbacks();
}

/// A crash of the source after the databases were made, and before anything else wrote its log out.
#[test]
fn what_a_split_made_is_known_after_a_crash_of_a_forgetful_source() {
    let servers = TwoServers::losing("source", 20);
    let waits = "sql = \"SELECT 1 / count(*) FROM pg_database WHERE datname = 'ready'\"";
    let seed = format!("[[seed]]\nname = \"waits\"\nfamily = \"tenant\"\n{waits}\n\n[[table]]");
    servers
        .stage
        .declare("[[table]]\ninto = \"auth.users\"", &format!("{seed}\ninto = \"auth.users\""));
    let failed = servers.stage.run(&["split", "run"]);
    assert_says(&failed.stderr, &["division by zero"]);
    assert_eq!(servers.stage.made(), "*_auth *_shared *_topsteel");
    let idle = "DO $x$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM $sh$kill -9 $PPID$sh$'; END $x$";
    servers.ask(idle);
    servers.wait_for_recovery();
    assert_says(&servers.victim.log(), &["was terminated by signal 9"]);
    let target = servers.stage.server.clone().unwrap();
    target.sql("CREATE DATABASE ready");
    servers.stage.run(&["split", "run"]).assert_success();
}
