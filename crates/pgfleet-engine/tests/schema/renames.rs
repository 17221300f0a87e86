//! Folders of corpus/schema with a file `renames`: what is asked for is renamed, the rest is made, and
//! the result is the second schema. `renamed.sql` has the statements; `PGFLEET_BLESS=1` writes them.

use std::fs;
use std::path::Path;

use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Statement, compare};
use pgfleet_core::schema::rename::RenameRequest;
use pgfleet_testkit::schemas::{database_with, read, rename_and_turn};
use pgfleet_testkit::{Cluster, TestDb, majors};

use crate::{ROLES, corpus_dir};

/// First line of a file whose renames have no reverse.
const ONE_WAY: &str = "# one way\n";

#[test]
fn what_is_renamed_is_proven_and_keeps_its_storage() {
    check_all(&Cluster::shared(), true);
}

/// Majors whose catalogs differ the most from the tests' own; the others by `PGFLEET_MAJORS=16,17`.
#[test]
fn what_is_renamed_is_proven_on_other_majors() {
    let named = std::env::var("PGFLEET_MAJORS").unwrap_or_else(|_| "14,18".to_owned());
    for major in named.split(',') {
        let major = major.parse().expect("a major version");
        check_all(&Cluster::fresh().installation(majors::major(major)).start(), false);
    }
}

/// `to_the_letter`: the statements are those of the file; each major writes views in its own way.
fn check_all(cluster: &Cluster, to_the_letter: bool) {
    cluster.sql(ROLES);
    let entries = fs::read_dir(corpus_dir()).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.join("renames").exists()).collect();
    folders.sort();
    assert!(folders.len() >= 10, "the cases are there");
    let failures: Vec<_> =
        folders.iter().filter_map(|folder| check(cluster, folder, to_the_letter)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// What is wrong with a case.
fn check(cluster: &Cluster, folder: &Path, to_the_letter: bool) -> Option<String> {
    let file = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let renames = file("renames");
    let requests: Vec<RenameRequest> =
        renames.lines().filter(|line| !line.starts_with('#')).map(|l| l.parse().unwrap()).collect();
    let back: Vec<_> = requests.iter().map(RenameRequest::reversed).collect();
    let prove = || -> Result<String, String> {
        let (a, b) =
            (database_with(cluster, &file("from.sql"))?, database_with(cluster, &file("to.sql"))?);
        let (from, to) = (read(&a), read(&b));
        let forwards = turned(&a, &from, &to, &requests)?;
        if !renames.starts_with(ONE_WAY) {
            turned(&b, &to, &from, &back).map_err(|error| format!("backwards: {error}"))?;
        }
        Ok(forwards.iter().map(|statement| format!("{};\n", statement.sql)).collect())
    };
    let path = folder.join("renamed.sql");
    match prove() {
        Err(error) => Some(format!("== {}\n{error}", folder.display())),
        Ok(_) if !to_the_letter => None,
        Ok(sql) if std::env::var("PGFLEET_BLESS").is_ok() => {
            fs::write(path, sql).unwrap();
            None
        }
        Ok(sql) if sql == file("renamed.sql") => None,
        Ok(sql) => Some(format!("== {}: other statements\n{sql}", folder.display())),
    }
}

/// Renames and makes the rest; tables and indexes of both schemas that only have other names keep
/// the files of their rows.
fn turned(
    database: &TestDb,
    from: &Schema,
    to: &Schema,
    requests: &[RenameRequest],
) -> Result<Vec<Statement>, String> {
    let before = files_of(database);
    let (statements, renamed) = rename_and_turn(database, from, to, requests)?;
    let rest = compare(&renamed, to);
    if rest.is_empty() && before != files_of(database) {
        return Err("something was written anew, and only names changed".to_owned());
    }
    Ok(statements)
}

/// Where the rows and entries of tables and indexes are.
fn files_of(database: &TestDb) -> String {
    database.value(
        "SELECT string_agg(relfilenode::text, ' ' ORDER BY relfilenode) FROM pg_class
         WHERE relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
         AND relkind IN ('r', 'i', 'S', 'm')",
    )
}
