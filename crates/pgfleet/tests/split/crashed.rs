//! What a split made is known after a crash of a server that forgets what nobody waited for.

use pgfleet_testkit::{ProgramOutput, TestDb};

use super::killed::{forgetful, psql, wait_for_recovery};
use super::{Stage, assert_says};

/// A crash of the source after the databases were made, and before anything else wrote its log out.
#[test]
fn what_a_split_made_is_known_after_a_crash_of_a_forgetful_source() {
    let (source, target) = (forgetful(), forgetful());
    let stage = Stage::across(TestDb::on(&source), &target, 20);
    let waits = "sql = \"SELECT 1 / count(*) FROM pg_database WHERE datname = 'ready'\"";
    let seed = format!("[[seed]]\nname = \"waits\"\nfamily = \"tenant\"\n{waits}\n\n[[table]]");
    stage.declare("[[table]]\ninto = \"auth.users\"", &format!("{seed}\ninto = \"auth.users\""));
    let failed = stage.run(&["split", "run"]);
    assert_says(&failed.stderr, &["division by zero"]);
    assert_eq!(stage.made(), "*_auth *_shared *_topsteel");
    let idle = "DO $x$ BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM $sh$kill -9 $PPID$sh$'; END $x$";
    ProgramOutput::of(&mut psql(&source.url("postgres"), idle));
    wait_for_recovery(&source.url("postgres"), stage.db.name());
    assert_says(&source.log(), &["was terminated by signal 9"]);
    target.sql("CREATE DATABASE ready");
    stage.run(&["split", "run"]).assert_success();
}
