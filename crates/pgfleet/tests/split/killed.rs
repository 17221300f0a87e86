//! A split and its rollback that are killed at any moment are finished by the same command.
//! `PGFLEET_KILLS` is the number of kills of each.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Stage, assert_says};

fn kills() -> u32 {
    kills_or(3)
}

/// How many kills are asked for, or else how many are usual.
pub(super) fn kills_or(usual: u32) -> u32 {
    std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

pub(super) fn timed(stage: &Stage, args: &[&str]) -> Duration {
    let begun = Instant::now();
    stage.run(args).assert_success();
    begun.elapsed()
}

#[test]
fn a_killed_split_goes_on() {
    let stage = Stage::new(300);
    let whole = timed(&stage, &["split", "run"]);
    let undisturbed = stage.all();
    stage.run(&["split", "rollback"]).assert_success();
    for kill in 1..=kills() {
        let mut running = stage.command(&["split", "run"]).spawn();
        sleep(whole * kill / (kills() + 1));
        running.kill();
        running.wait();
        stage.run(&["split", "run"]).assert_success();
        assert_eq!(stage.all(), undisturbed, "after kill {kill}");
        stage.run(&["split", "rollback"]).assert_success();
    }
}

#[test]
fn a_killed_rollback_goes_on() {
    let stage = Stage::new(50);
    stage.run(&["split", "run"]).assert_success();
    let schema = stage.source_schema();
    let whole = timed(&stage, &["split", "rollback"]);
    for kill in 1..=kills() {
        stage.run(&["split", "run"]).assert_success();
        let mut running = stage.command(&["split", "rollback"]).spawn();
        sleep(whole * kill / (kills() + 1));
        running.kill();
        running.wait();
        finish_rollback(&stage, kill);
    }
    assert_ne!(schema, stage.source_schema(), "the fence is gone");
}

/// The same command ends what was begun; where it had ended, it says so.
pub(super) fn finish_rollback(stage: &Stage, kill: u32) {
    let again = stage.run(&["split", "rollback"]);
    if again.code != 0 {
        assert_says(&again.stderr, &["no split of this source is under way"]);
    }
    assert_eq!(stage.made(), "", "after kill {kill}");
    stage.db.psql("UPDATE clients SET name = name WHERE id = 1").assert_success();
}
