//! A split and its rollback that are killed at any moment are finished by the same command.
//! `PGFLEET_KILLS` is the number of kills of each.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Stage, assert_says};

const KILLS: u32 = 3;

fn kills() -> u32 {
    std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

fn timed(stage: &Stage, args: &[&str]) -> Duration {
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
        let again = stage.run(&["split", "rollback"]);
        if again.code != 0 {
            assert_says(&again.stderr, &["no split of this source is under way"]);
        }
        assert_eq!(stage.made(), "", "after kill {kill}");
        stage.db.psql("UPDATE clients SET name = name WHERE id = 1").assert_success();
    }
    assert_ne!(schema, stage.source_schema(), "the fence is gone");
}

#[test]
fn a_backend_that_is_killed_stops_the_run_and_loses_nothing() {
    let stage = Stage::new(300);
    let whole = timed(&stage, &["split", "run"]);
    let undisturbed = stage.all();
    stage.run(&["split", "rollback"]).assert_success();
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE application_name = 'pgfleet' AND datname LIKE current_database() || '%'";
    for kill in 1..=kills() {
        let running = stage.command(&["split", "run"]).spawn();
        sleep(whole * kill / (kills() + 1));
        stage.db.rows(terminate);
        let cut = running.wait();
        assert!([0, 3, 4, 5].contains(&cut.code), "{}", cut.stderr);
        stage.run(&["split", "run"]).assert_success();
        assert_eq!(stage.all(), undisturbed, "after kill {kill}");
        stage.run(&["split", "rollback"]).assert_success();
    }
}
