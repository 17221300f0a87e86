//! Running programs as a user would, and stopping them.

use std::{path::Path, time::Duration};

use pgfleet_testkit::{Project, Redactions, TestDb, cli::Cli};

fn shell(project: &Project, script: &str) -> Cli {
    Cli::of_program(Path::new("/bin/sh"), project.path()).args(["-c", script])
}

#[test]
fn nothing_of_this_machine_reaches_the_program() {
    let project = Project::new();
    let output = shell(&project, "env | cut -d= -f1 | sort").env("PGHOST", "x").run();
    let names: Vec<&str> = output.stdout.lines().collect();
    let known = ["HOME", "PATH", "PGFLEET_PG_BIN", "PGHOST", "PWD", "SHLVL", "_", "OLDPWD"];
    assert!(
        names.contains(&"PGHOST") && names.iter().all(|name| known.contains(name)),
        "{names:?}"
    );
}

#[test]
fn output_input_and_exit_code_come_through() {
    let project = Project::with([("in/a.txt", "here")]);
    let output = shell(&project, "cat; cat in/a.txt >&2; exit 3").stdin("given").run();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str(), output.code), ("given", "here", 3));
}

#[test]
fn a_killed_program_ends_at_once_and_says_by_which_signal() {
    let project = Project::new();
    let mut running = shell(&project, "echo begun; exec sleep 600").spawn();
    assert!(!running.wait_for(Duration::from_millis(200)));
    running.kill();
    assert!(running.wait_for(Duration::from_secs(5)));
    let output = running.wait();
    assert_eq!((output.stdout.as_str(), output.code), ("begun\n", -9));
}

#[test]
fn an_interrupt_is_what_ctrl_c_sends() {
    let project = Project::new();
    let running = shell(&project, "exec sleep 600").spawn();
    running.interrupt();
    assert_eq!(running.wait().code, -2);
}

#[test]
fn what_differs_between_runs_is_redacted() {
    let (project, db) = (Project::new(), TestDb::new());
    let text = format!("{} at {} in 3 ms", db.url(), project.path().join("a.sql").display());
    let expected = "postgres://postgres@127.0.0.1:[PORT]/[DB] at [PROJECT]/a.sql in [DURATION]";
    assert_eq!(Redactions::of(&project, &db).apply(&text), expected);
}

#[test]
fn the_built_binary_is_found() {
    assert_eq!(Project::new().pgfleet(["--help"]).run().code, 0);
}
