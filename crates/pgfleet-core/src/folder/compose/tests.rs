//! What is composed is read back as the same migration, the last of its folder.

use super::*;
use crate::folder::read;
use crate::program;

fn now() -> Moment {
    Moment { unix_ms: 1_709_210_096_000, digits: "20240229123456".to_owned() }
}

fn block(statements: &[&str], outside: bool) -> Block {
    Block { statements: statements.iter().map(|s| (*s).to_owned()).collect(), outside }
}

fn migration(up: Block, down: Block) -> NewMigration {
    NewMigration {
        name: "add_things".to_owned(),
        up: vec![up],
        down: vec![down],
        down_notes: vec!["not brought back: rows".to_owned()],
    }
}

/// Adds a migration to a folder; gives paths of the new files and the folder afterwards.
fn added(
    format: Format,
    files: &[(&str, &str)],
    new: &NewMigration,
) -> (Vec<String>, MigrationSet) {
    let mut tree = FileTree::from_files("m", files.iter().copied());
    let new = compose(&read(&tree, format), &tree, new, &now());
    for file in &new {
        assert_eq!(file.replaces, tree.files.contains_key(&file.path), "{}", file.path);
        tree.insert(&file.path, file.text.clone().into_bytes());
    }
    (new.into_iter().map(|file| file.path).collect(), read(&tree, format))
}

fn statements(body: &crate::folder::SqlBody) -> Vec<String> {
    let program = program::build(body, &|_, _, _| None);
    assert!(program.problems.is_empty(), "{:?}", program.problems);
    program.statements.into_iter().map(|s| s.sql.trim_end_matches(';').to_owned()).collect()
}

const FUNCTION: &str = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\n-- ${x} `a` \\n\n\
                        RETURN 1; END $$";

#[test]
fn every_format_reads_back_what_is_composed() {
    let up = ["CREATE TABLE t (a int)", FUNCTION];
    let new = migration(block(&up, false), block(&["DROP FUNCTION f()", "DROP TABLE t"], false));
    for format in Format::ALL.iter().copied() {
        let (paths, set) = added(format, &[], &new);
        assert!(set.problems.iter().all(|p| !p.is_error()), "{format}: {:?}", set.problems);
        let [read_back] = &set.migrations[..] else { panic!("{format}: {paths:?}") };
        assert_eq!(statements(&read_back.up), up, "{format}");
        let takes_back = format.takes_back(&FileTree::default());
        assert_eq!(read_back.down.is_some(), takes_back, "{format}");
        if let Some(down) = &read_back.down {
            assert_eq!(statements(down), ["DROP FUNCTION f()", "DROP TABLE t"], "{format}");
        }
    }
}

#[test]
fn statements_outside_of_transactions_are_marked() {
    use crate::folder::TransactionMode;
    let sql = "CREATE INDEX CONCURRENTLY i ON t (a)";
    let new = migration(block(&[sql], true), block(&["DROP INDEX CONCURRENTLY i"], true));
    for format in
        Format::ALL.iter().copied().filter(|format| format.file_run() == FileRun::OneBlock)
    {
        let (_, set) = added(format, &[], &new);
        let [read_back] = &set.migrations[..] else { panic!("{format}") };
        let never = read_back.transaction == TransactionMode::Never;
        // golang-migrate and Flyway need no marker for a file of one such statement.
        let unmarked = matches!(format, Format::GolangMigrate | Format::Flyway);
        assert!(never || unmarked, "{format}");
        assert_eq!(statements(&read_back.up), [sql], "{format}");
    }
}

#[test]
fn names_go_on_as_the_folder_has_them() {
    let new = migration(block(&["SELECT 1"], false), block(&["SELECT 2"], false));
    let goose = "-- +goose Up\nSELECT 1;\n-- +goose Down\n";
    let journal = r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"version":"7",
        "when":1700000000000,"tag":"0000_a","breakpoints":true}]}"#;
    let snapshot = r#"{"id":"x","prevId":"0","tables":{}}"#;
    for (format, files, expected) in [
        (
            Format::Plain,
            &[("001_a.sql", "SELECT 1;")][..],
            "002_add_things.down.sql 002_add_things.sql",
        ),
        (
            Format::Plain,
            &[("V010-a.sql", "SELECT 1;"), ("down/V010-a.sql", "SELECT 1;")],
            "down/V020-add_things.sql V020-add_things.sql",
        ),
        (Format::Flyway, &[("sql/V1_9__a.sql", "SELECT 1;")], "sql/V1_10__add_things.sql"),
        (
            Format::Flyway,
            &[("V1__a.sql", "SELECT 1;"), ("U1__a.sql", "SELECT 1;")],
            "U2__add_things.sql V2__add_things.sql",
        ),
        (Format::Goose, &[("00009_a.sql", goose)], "00010_add_things.sql"),
        (Format::Sqlx, &[("20230101000000_a.sql", "SELECT 1;")], "20240229123456_add_things.sql"),
        (Format::Refinery, &[("V7__a.sql", "SELECT 1;")], "V8__add_things.sql"),
        (
            Format::GolangMigrate,
            &[("000003_a.up.sql", "SELECT 1;")],
            "000004_add_things.down.sql 000004_add_things.up.sql",
        ),
        (
            Format::Diesel,
            &[("2024-01-01-000000_a/up.sql", "SELECT 1;")],
            "2024-02-29-123456_add_things/down.sql 2024-02-29-123456_add_things/up.sql",
        ),
        (
            Format::Drizzle,
            &[
                ("0000_a.sql", "SELECT 1;"),
                ("meta/_journal.json", journal),
                ("meta/0000_snapshot.json", snapshot),
            ],
            "0001_add_things.sql meta/0001_snapshot.json meta/_journal.json",
        ),
        (Format::Typeorm, &[("1500000000000-A.js", "")], "1709210096000-AddThings.js"),
    ] {
        let (paths, set) = added(format, files, &new);
        assert_eq!(paths.join(" "), expected, "{format}");
        let last = set.migrations.last().unwrap();
        assert_eq!(statements(&last.up), ["SELECT 1"], "{format}");
    }
}
