//! What needs no server: start-up and the reading of SQL.

use std::{path::Path, process::Command, time::Instant};

use pgfleet_testkit::peers::{cargo, npm};

use super::{Options, figures::median, results::Results};

/// Starts of each program.
const STARTS: usize = 41;

/// Measures start-up and splitting.
pub(super) fn measure(options: &Options, pgfleet: &Path, results: &mut Results) {
    if options.wants("start-up") {
        start_up(pgfleet, results);
    }
    if options.wants("reading SQL") {
        reading_sql(results);
    }
}

fn start_up(pgfleet: &Path, results: &mut Results) {
    let bin = cargo::install();
    let dbmate = npm::dbmate_program();
    let programs =
        [pgfleet.to_owned(), dbmate, bin.join("sqlx"), bin.join("refinery"), bin.join("diesel")];
    let mut times: Vec<Vec<f64>> = programs.iter().map(|_| Vec::new()).collect();
    for _ in 0..STARTS {
        for (program, times) in programs.iter().zip(&mut times) {
            times.push(start_ms(program));
        }
    }
    let named = programs.iter().zip(times).map(|(program, times)| {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (format!("{name} --help"), median(times))
    });
    results.start_up(&named.collect::<Vec<_>>());
}

fn start_ms(program: &Path) -> f64 {
    let begun = Instant::now();
    let output = Command::new(program).arg("--help").output().expect("start a program");
    assert!(output.status.success(), "{} --help failed", program.display());
    begun.elapsed().as_secs_f64() * 1000.0
}

/// Run as an optimised program of its own, because tasks are built for debugging.
fn reading_sql(results: &mut Results) {
    let mut command = super::cargo();
    command.args(["run", "--release", "--quiet", "--package", "pgfleet-sql"]);
    command.args(["--example", "throughput"]);
    let output = command.output().expect("run cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    results.reading_sql(&String::from_utf8_lossy(&output.stdout));
}
