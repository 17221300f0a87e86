//! `cargo xtask round-trip FILE…`: real schemas, made again from nothing by what `diff` writes.
//!
//! A file is given to psql as it is; what this server cannot do (extensions that are not installed) is
//! left out and counted. The copy must have the same pg_dump, statement for statement, where a pg_dump
//! of the version is at hand, and the same fingerprint everywhere; then it is taken back to nothing.

use std::{path::Path, process::ExitCode};

use pgfleet_core::schema::{Schema, canonical_text};
use pgfleet_testkit::{
    Cluster, ProgramOutput, TestDb, client_command, majors,
    schemas::{read, turn_into},
};

/// Makes every schema again and prints a line for each.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let (major, files) = match words {
        ["--major", major, files @ ..] => (major.parse().ok(), files),
        files => (None, files),
    };
    let fresh = Cluster::fresh();
    let fresh = match major {
        Some(major) => fresh.installation(majors::major(major)),
        None => fresh,
    };
    let cluster = fresh.start();
    let equal = files.iter().map(|file| report(&cluster, Path::new(file), major.is_none()));
    // All of them are tried, whatever the first says.
    match equal.filter(|equal| !equal).count() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn report(cluster: &Cluster, file: &Path, with_dump: bool) -> bool {
    let original = cluster.database();
    let refused = load(&original, file);
    let wanted = read(&original);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let outcome = round_trip(cluster, &original, &wanted, with_dump);
    let words = match &outcome {
        Ok(()) => "equal".to_owned(),
        Err(reason) => format!("NOT EQUAL\n{reason}"),
    };
    let unmodelled = wanted.unmodelled.len();
    println!(
        "{name}: {} objects, {refused} statements refused, {unmodelled} not modelled: {words}",
        wanted.objects.len()
    );
    outcome.is_ok()
}

/// Errors of psql on the way.
fn load(database: &TestDb, file: &Path) -> usize {
    let mut psql = client_command("psql");
    psql.env("PGCLIENTENCODING", "UTF8").args(["-X", "-q", "-d"]).arg(database.url());
    let output = ProgramOutput::of(psql.arg("-f").arg(file));
    let errors = output.stderr.lines().filter(|line| line.contains("ERROR:"));
    errors.inspect(|line| eprintln!("{line}")).count()
}

fn round_trip(
    cluster: &Cluster,
    original: &TestDb,
    wanted: &Schema,
    with_dump: bool,
) -> Result<(), String> {
    let copy = cluster.database();
    let empty = read(&copy);
    turn_into(&copy, &empty, wanted)?;
    if with_dump {
        same_dumps(&original.dump_schema(), &copy.dump_schema())?;
    }
    turn_into(&copy, wanted, &empty).map_err(|error| format!("back to nothing: {error}"))?;
    Ok(())
}

/// pg_dump orders objects of one kind by their OIDs, so statements are compared without their order.
/// A dump that is restored and dumped again may spell a view otherwise, which does not count.
fn same_dumps(wanted: &str, made: &str) -> Result<(), String> {
    let sorted = |dump: &str| {
        let mut statements: Vec<String> = dump.split(";\n").map(canonical_text).collect();
        statements.sort_unstable();
        statements
    };
    let (wanted, made) = (sorted(wanted), sorted(made));
    let missing = |these: &[String], those: &[String]| {
        let gone = these.iter().filter(|one| those.binary_search(one).is_err());
        gone.take(5).cloned().collect::<Vec<_>>().join(";\n")
    };
    match wanted == made {
        true => Ok(()),
        false => Err(format!(
            "in the original:\n{}\nin the copy:\n{}",
            missing(&wanted, &made),
            missing(&made, &wanted)
        )),
    }
}
