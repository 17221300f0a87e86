//! `cargo xtask pg-delta FOLDER`: the corpus of Supabase's pg-delta, every pair in both directions.
//!
//! A folder of it holds `a.sql` and `b.sql`, perhaps rows for each (`seed.sql`, `seed-b.sql`), and in
//! `meta.json` the oldest major version that it needs.

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use pgfleet_core::schema::diff::compare;
use pgfleet_testkit::{
    Cluster, TestDb, majors,
    schemas::{read, turn_into},
};

use super::load::load;

/// How a case ended.
enum Outcome {
    /// Both directions hold, and no row of a table that stays is gone.
    Proven,
    /// The model has no place for what differs: owners, roles, subscriptions.
    Unseen,
    /// It cannot be loaded here.
    NotLoaded(String),
    /// A direction failed.
    Failed(String),
}

/// Proves all pairs and prints what was not proven.
pub(crate) fn run(folder: &str, options: &[&str]) -> ExitCode {
    let option = |name: &str| {
        options.iter().position(|word| *word == name).and_then(|at| options.get(at + 1).copied())
    };
    let fresh = match option("--major").and_then(|major| major.parse().ok()) {
        Some(major) => Cluster::fresh().installation(majors::major(major)),
        None => Cluster::fresh(),
    };
    let cluster = fresh.start();
    // The superuser of the containers that the corpus is written for.
    cluster.sql("CREATE ROLE test SUPERUSER");
    let only = option("--only").unwrap_or_default();
    let cases = cases(Path::new(folder));
    let cases: Vec<_> = cases.into_iter().filter(|(name, _)| name.contains(only)).collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((name, path)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = outcome(&cluster, path);
            outcomes.lock().expect("no case panics").insert(name.clone(), outcome);
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| _ = scope.spawn(work)));
    print(&outcomes.into_inner().expect("no case panics"))
}

fn cases(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let name = |path: &Path| {
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    folders.map(|path| (name(&path), path)).collect()
}

fn outcome(cluster: &Cluster, path: &Path) -> Outcome {
    let loaded = loaded(cluster, path, "a.sql", "seed.sql")
        .and_then(|a| Ok((a, loaded(cluster, path, "b.sql", "seed-b.sql")?)));
    let (a, b) = match loaded {
        Ok(pair) => pair,
        Err(reason) => return Outcome::NotLoaded(reason),
    };
    let proven = catch_unwind(AssertUnwindSafe(|| prove(&a, &b)));
    match proven.unwrap_or_else(|_| Err("it panicked".to_owned())) {
        Ok(true) => Outcome::Proven,
        Ok(false) => Outcome::Unseen,
        Err(reason) => Outcome::Failed(reason),
    }
}

fn loaded(cluster: &Cluster, path: &Path, script: &str, rows: &str) -> Result<TestDb, String> {
    let database = cluster.database();
    let text = fs::read_to_string(path.join(script)).map_err(|error| error.to_string())?;
    load(&database, &text).map_err(|error| format!("{script}: {error}"))?;
    if let Ok(text) = fs::read_to_string(path.join(rows)) {
        load(&database, &text).map_err(|error| format!("{rows}: {error}"))?;
    }
    Ok(database)
}

/// Proves both directions; false when the two are the same to the model.
fn prove(a: &TestDb, b: &TestDb) -> Result<bool, String> {
    let (from, to) = (read(a), read(b));
    if compare(&from, &to).is_empty() {
        return Ok(false);
    }
    for (way, database, from, to) in [("forwards", a, &from, &to), ("backwards", b, &to, &from)] {
        let before = row_counts(database);
        turn_into(database, from, to).map_err(|error| format!("{way}: {error}"))?;
        let after = row_counts(database);
        let lost = before.iter().find(|(table, rows)| after.get(*table).is_some_and(|n| n < rows));
        if let Some((table, rows)) = lost {
            return Err(format!("{way}: {rows} rows of {table} are lost"));
        }
    }
    Ok(true)
}

/// Rows of each ordinary table.
fn row_counts(database: &TestDb) -> BTreeMap<String, u64> {
    let tables = database.rows(
        "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'p')
            AND c.relnamespace::regnamespace::text !~ '^pg_|information_schema'",
    );
    let tables = tables.into_iter().flatten().flatten();
    let count = |table: String| {
        let rows = database.value(&format!("SELECT count(*) FROM {table}")).parse();
        (table, rows.unwrap_or_default())
    };
    tables.map(count).collect()
}

fn print(outcomes: &BTreeMap<String, Outcome>) -> ExitCode {
    let mut failed = 0;
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Proven => {}
            Outcome::Unseen => println!("the same to the model: {name}"),
            Outcome::NotLoaded(reason) => {
                println!("not loaded: {name}: {}", reason.lines().next().unwrap_or_default());
            }
            Outcome::Failed(reason) => {
                failed += 1;
                println!("== {name}\n{reason}\n");
            }
        }
    }
    let count = |is: fn(&Outcome) -> bool| outcomes.values().filter(|one| is(one)).count();
    println!(
        "{} pairs: {} proven in both directions, {failed} not, {} the same to the model, {} not loaded",
        outcomes.len(),
        count(|outcome| matches!(outcome, Outcome::Proven)),
        count(|outcome| matches!(outcome, Outcome::Unseen)),
        count(|outcome| matches!(outcome, Outcome::NotLoaded(_))),
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
