//! A split and its rollback that lose pgfleet, a backend of the source or a backend of the target to
//! SIGKILL are finished by the same command.
//!
//! A backend that is killed makes PostgreSQL throw out all sessions and recover from its log; the servers
//! here have `synchronous_commit = off` and write the log late, so that a crash takes every commit that
//! nobody waited for. `PGFLEET_KILLS` is the number of kills of each.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pgfleet_testkit::{Cluster, ProgramOutput, TestDb};

use super::hunt::{Hunt, Prey};
use super::{Stage, assert_says};

/// Steps of a split, as their statements show; the empty one is any moment.
const SPLIT_IN_SOURCE: [&str; 6] =
    ["^COPY", "pgfleet_split_fence", "^COPY", "", "hash_record", "split_sums|split_databases"];
const SPLIT_IN_TARGET: [&str; 9] = [
    "^COPY",
    "^CREATE DATABASE",
    "split_parts|split_later",
    "^COPY",
    "",
    "CREATE TABLE",
    "ADD CONSTRAINT|VALIDATE|ENABLE",
    "hash_record",
    "^ANALYZE|setval",
];
const ROLLBACK_IN_SOURCE: [&str; 4] = ["hash_record", "rolling back", "dropped", ""];
const ROLLBACK_IN_TARGET: [&str; 4] = ["hash_record", "^DROP DATABASE", "before_rows", ""];

fn kills_or(usual: u32) -> u32 {
    std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// What is killed.
#[derive(Clone, Copy, PartialEq)]
enum Victim {
    Pgfleet,
    Source,
    Target,
}

/// A command, and the steps of it at which it is to be met.
struct Prone {
    args: [&'static str; 2],
    aims: Vec<&'static str>,
    /// How long it takes when nobody kills it.
    whole: Duration,
    /// What was at work when it was interrupted, and how often.
    hits: BTreeMap<String, u32>,
}

impl Prone {
    fn new(stage: &Stage, args: [&'static str; 2], aims: Vec<&'static str>) -> Self {
        let begun = Instant::now();
        stage.run(&args).assert_success();
        Self { args, aims, whole: begun.elapsed(), hits: BTreeMap::new() }
    }

    /// Half of all kills at least must have interrupted the command.
    fn say_hits(&self, kills: u32) {
        let hits: u32 = self.hits.values().sum();
        let steps: Vec<_> = self.hits.iter().map(|(step, hits)| format!("{step} {hits}")).collect();
        eprintln!("{:?}: {hits} of {kills} kills hit ({})", self.args, steps.join(", "));
        assert!(2 * hits >= kills, "too many kills came when all was over");
    }
}

struct Scene {
    stage: Stage,
    victim: Victim,
}

impl Scene {
    /// For a crash, source and databases to fill are on two servers of their own.
    fn losing(victim: Victim, orders: usize) -> Self {
        let stage = match victim {
            Victim::Pgfleet => Stage::new(orders),
            _ => Stage::across(TestDb::on(&forgetful()), &forgetful(), orders),
        };
        Self { stage, victim }
    }

    /// A split and a rollback each time, both of them killed and gone on with.
    fn kill(&self, kills: u32) {
        let [in_split, in_rollback] = self.aims();
        let mut split = Prone::new(&self.stage, ["split", "run"], in_split);
        let undisturbed = self.stage.all();
        let mut rollback = Prone::new(&self.stage, ["split", "rollback"], in_rollback);
        for kill in 0..kills {
            self.cut(&mut split, kill, kills);
            self.stage.run(&split.args).assert_success();
            assert_eq!(self.stage.all(), undisturbed, "after kill {kill}");
            self.cut(&mut rollback, kill, kills);
            self.finish_rollback(kill);
        }
        split.say_hits(kills);
        rollback.say_hits(kills);
        self.nothing_is_left();
    }

    fn aims(&self) -> [Vec<&'static str>; 2] {
        match self.victim {
            Victim::Source => [SPLIT_IN_SOURCE.to_vec(), ROLLBACK_IN_SOURCE.to_vec()],
            Victim::Target => [SPLIT_IN_TARGET.to_vec(), ROLLBACK_IN_TARGET.to_vec()],
            Victim::Pgfleet => [
                [SPLIT_IN_TARGET.as_slice(), &SPLIT_IN_SOURCE].concat(),
                [ROLLBACK_IN_TARGET.as_slice(), &ROLLBACK_IN_SOURCE].concat(),
            ],
        }
    }

    /// Runs the command and kills: at the step whose turn it is, or after a part of the time that the
    /// command takes.
    fn cut(&self, command: &mut Prone, kill: u32, kills: u32) {
        let aim = command.aims[kill as usize % command.aims.len()];
        let mut running = self.stage.command(&command.args).spawn();
        if aim.is_empty() {
            sleep(command.whole * kill / kills);
        }
        let prey = if self.victim == Victim::Pgfleet { Prey::Pgfleet } else { Prey::Backend };
        let mut hunt = Hunt::begin(&self.url(), self.stage.db.name(), aim, prey);
        while !running.is_finished() && !hunt.is_over() {
            sleep(Duration::from_micros(500));
        }
        if self.victim == Victim::Pgfleet {
            running.kill();
        }
        let cut = running.wait();
        assert!([-9, 0, 3, 4, 5].contains(&cut.code), "{}", cut.stderr);
        // The crash that it made ends the hunt; until then the server may still answer.
        if self.victim != Victim::Pgfleet && cut.code != 0 {
            hunt.wait();
        }
        let met = hunt.end();
        if let Some(step) = met.filter(|_| cut.code != 0) {
            *command.hits.entry(step).or_default() += 1;
        }
        wait_for_recovery(&self.url(), self.stage.db.name());
    }

    /// The same command ends what was begun; where it had ended, it says so.
    fn finish_rollback(&self, kill: u32) {
        let again = self.stage.run(&["split", "rollback"]);
        if again.code != 0 {
            assert_says(&again.stderr, &["no split of this source is under way"]);
        }
        assert_eq!(self.stage.made(), "", "after kill {kill}");
        let written = self.stage.db.psql("UPDATE clients SET name = name WHERE id = 1");
        written.assert_success();
    }

    /// The plans of killed runs leave no scratch database behind.
    fn nothing_is_left(&self) {
        if self.victim == Victim::Pgfleet {
            return;
        }
        let name = self.stage.db.name();
        let left = format!(
            "SELECT string_agg(datname, ' ') FROM pg_database \
             WHERE datname NOT IN ('{name}', 'postgres', 'template0', 'template1')"
        );
        for url in [self.stage.db.url(), self.stage.new_url("postgres")] {
            assert_eq!(super::ask(&url, &left), "");
        }
    }

    /// A database of the server that loses a backend.
    fn url(&self) -> String {
        match self.victim {
            Victim::Target => self.stage.new_url("postgres"),
            _ => self.stage.db.url().replace(self.stage.db.name(), "postgres"),
        }
    }
}

pub(super) fn forgetful() -> Cluster {
    let late = Cluster::fresh().setting("synchronous_commit", "off");
    late.setting("wal_writer_delay", "10s").start()
}

/// Returns when the server answers; a hunt for sessions of `name` that met none still goes on there, and
/// is ended.
pub(super) fn wait_for_recovery(url: &str, name: &str) {
    let begun = Instant::now();
    let stop = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE query ~ '^DO .hunt' AND query ~ '{name}'"
    );
    while ProgramOutput::of(&mut psql(url, &stop)).code != 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the server does not come back");
        sleep(Duration::from_millis(20));
    }
}

pub(super) fn psql(url: &str, sql: &str) -> Command {
    let mut psql = pgfleet_testkit::client_command("psql");
    psql.args(["-XqAt", "-d", url, "-c", sql]);
    psql
}

#[test]
fn a_split_whose_pgfleet_is_killed_goes_on_and_its_rollback_too() {
    Scene::losing(Victim::Pgfleet, 100).kill(kills_or(3));
}

#[test]
fn a_split_whose_source_backend_is_killed_goes_on_and_its_rollback_too() {
    Scene::losing(Victim::Source, 100).kill(kills_or(1));
}

#[test]
fn a_split_whose_target_backend_is_killed_goes_on_and_its_rollback_too() {
    Scene::losing(Victim::Target, 100).kill(kills_or(1));
}
