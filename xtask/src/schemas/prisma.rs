//! `cargo xtask prisma PATH…`: schemas of others, as Prisma's own engine writes them and as we do.
//!
//! A path is a `schema.prisma`, or a folder whose `*.prisma` files are one schema. Both texts are held
//! against each other byte by byte, both are run, and the fingerprints of what they made must be equal;
//! then the engine is asked what it would still change in ours. The extensions that Prisma schemas use
//! without saying so are there. Statements that this server does not take (other extensions) are left
//! out on both sides and counted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use pgfleet_core::prisma::{SchemaFile, ddl, read as read_prisma};
use pgfleet_sql::{PieceKind, split};
use pgfleet_testkit::{Cluster, TestDb, peers::schema_engine, schemas::read};

/// Made by hand in the migrations of teams, not by schema.prisma.
const EXTENSIONS: &str =
    "CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS pg_trgm";

/// What was seen of one schema.
struct Seen {
    tables: usize,
    refused: usize,
    same_text: bool,
    same_effect: bool,
    /// What Prisma would still change.
    rest: String,
}

/// Holds every schema against the engine and prints a line for each.
pub(crate) fn run(paths: &[&str]) -> ExitCode {
    let cluster = Cluster::fresh().start();
    let mut counts = [0; 3];
    for path in paths {
        let seen = seen(&cluster, Path::new(path));
        print(path, &seen);
        if let Ok(seen) = seen {
            let is = [seen.same_text, seen.same_effect, seen.rest.is_empty()];
            counts.iter_mut().zip(is).for_each(|(count, is)| *count += usize::from(is));
        }
    }
    let [text, effect, clean] = counts;
    println!(
        "{} schemas: {effect} equal in effect, {text} byte for byte; in {clean} Prisma would change nothing",
        paths.len()
    );
    if effect == paths.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seen(cluster: &Cluster, path: &Path) -> Result<Seen, String> {
    let paths = schema_files(path);
    let database = cluster.database();
    let theirs = schema_engine::ddl(&paths, &database.url());
    if theirs.code != 0 {
        return Err(format!("Prisma refuses it: {}", theirs.stderr));
    }
    let ours = ours(&paths)?;
    let (copy, made) = (cluster.database(), cluster.database());
    copy.sql(EXTENSIONS);
    made.sql(EXTENSIONS);
    let refused = load(&copy, &theirs.stdout);
    let also = load(&made, &ours);
    let rest = schema_engine::rest(&paths, &made.url());
    let (wanted, is) = (read(&copy), read(&made));
    Ok(Seen {
        tables: ours.matches("CREATE TABLE").count(),
        refused,
        same_text: ours.trim_end() == theirs.stdout.trim_end(),
        same_effect: refused == also && wanted.fingerprint() == is.fingerprint(),
        rest: without_comments(&format!("{}{}", rest.stdout, rest.stderr)),
    })
}

fn schema_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "prisma"));
    files.sort();
    files
}

fn ours(paths: &[PathBuf]) -> Result<String, String> {
    let file = |path: &PathBuf| SchemaFile {
        path: path.display().to_string(),
        text: fs::read_to_string(path).unwrap_or_default(),
    };
    let files: Vec<_> = paths.iter().map(file).collect();
    let database = read_prisma(&files).map_err(|problems| format!("we refuse it: {problems:?}"))?;
    Ok(ddl(&database))
}

/// Runs a script and gives the number of statements that this server does not take.
fn load(database: &TestDb, text: &str) -> usize {
    let pieces = split(text);
    let statements = pieces.iter().filter(|piece| piece.kind == PieceKind::Statement);
    let run = |sql: &str| database.try_sql(&format!("SET client_min_messages = warning;\n{sql}"));
    let refused = statements.filter(|piece| run(&text[piece.range.clone()]).is_err());
    refused.count()
}

fn without_comments(sql: &str) -> String {
    let lines = sql.lines().filter(|line| !line.starts_with("--") && !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn print(path: &str, seen: &Result<Seen, String>) {
    let seen = match seen {
        Ok(seen) => seen,
        Err(reason) => return println!("{path}: {reason}"),
    };
    let text = if seen.same_text { "the same text" } else { "ANOTHER TEXT" };
    let effect = if seen.same_effect { "equal" } else { "NOT EQUAL" };
    println!(
        "{path}: {} tables, {} statements refused: {text}, {effect}",
        seen.tables, seen.refused
    );
    if !seen.rest.is_empty() {
        println!("  Prisma would still run: {}", seen.rest.replace('\n', "\n    "));
    }
}
