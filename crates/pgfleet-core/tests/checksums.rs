//! Checksums and versions that the formats' own tools wrote into their tables.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use pgfleet_core::folder::{FileTree, Format, MigrationSet, read};
use pgfleet_core::history::{HistoryRow, RowState, Verdict, dialect, judge};

/// `(version, checksum)` of each migration.
fn recorded(format: Format, files: &[(&str, &str)]) -> Vec<(String, String)> {
    let set = read(&FileTree::from_files("migrations", files.iter().copied()), format);
    assert!(set.problems.is_empty(), "{:?}", set.problems);
    let migrations = set.migrations.into_iter();
    migrations.map(|migration| (migration.version, migration.checksum.unwrap())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// Written by sqlx-cli 0.9.0 (`sqlx migrate run`).
#[test]
fn sqlx_hashes_the_file() {
    let files = [
        ("0001_first_table.sql", "-- Add migration script here\nCREATE TABLE a (id int);\n"),
        ("2_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);\n"),
    ];
    let expected = [
        (
            "1",
            "d62e2f2d54420e902da2e114a98148c4e0a8579113249300cd8805651a5c7a4ac005d69793d0fc5d901848637a79bcec",
        ),
        (
            "2",
            "21476f803bc072ea19de9b92d639c17785b8b4b672c83384434d0058192b9d453bfee0f228902b89c6c74e3757014031",
        ),
    ];
    assert_eq!(recorded(Format::Sqlx, &files), pairs(&expected));
}

/// Written by refinery_cli 0.10 (`refinery migrate`).
#[test]
fn refinery_hashes_name_version_and_text() {
    let files = [(
        "V1__initial.sql",
        "CREATE TABLE persons (id int, name varchar(255), city varchar(255));",
    )];
    assert_eq!(recorded(Format::Refinery, &files), pairs(&[("1", "9011118159008407467")]));
}

/// Written by drizzle-orm 0.45.4 (the journal) and 1.0.0-rc.5 (the directory).
#[test]
fn drizzle_hashes_the_file() {
    let journal = r#"{"version":"7","dialect":"postgresql","entries":[
        {"idx":0,"version":"7","when":1700000000000,"tag":"0000_first","breakpoints":true}]}"#;
    let sql = "CREATE TABLE \"a\" (\"id\" serial);\n--> statement-breakpoint\n\
               CREATE INDEX \"i\" ON \"a\" (\"id\");";
    let hash = "723ba4717a9e03c3fa1833d6130d4ce16fc199ca9cd69e0fbaffde279342bcfe";
    let files = [("meta/_journal.json", journal), ("0000_first.sql", sql)];
    assert_eq!(recorded(Format::Drizzle, &files), pairs(&[("1700000000000", hash)]));

    let hash = "17db4fd369edb9244b9f91d9aeed145c3d04ad8ba6e95d06247f07a63527d11a";
    let files = [("20240229123456_a/migration.sql", "SELECT 1;")];
    assert_eq!(recorded(Format::Drizzle, &files), pairs(&[("1709210096000", hash)]));
}

/// The example in the tests of prisma-engines (`checksum.rs`).
#[test]
fn prisma_hashes_the_script() {
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let files = [("1_a/migration.sql", "hello")];
    assert_eq!(recorded(Format::Prisma, &files), pairs(&[("1_a", hash)]));
}

fn one_file(format: Format, text: &str) -> MigrationSet {
    let name = if format == Format::Refinery { "V1__users.sql" } else { "0001_users.sql" };
    read(&FileTree::from_files("migrations", [(name, text)]), format)
}

/// What a migration's edited file is said to be.
fn note_after(format: Format, applied: &str, now: &str) -> String {
    let migration = one_file(format, applied).migrations.remove(0);
    let row = HistoryRow {
        version: migration.version,
        name: Some(migration.name),
        checksum: migration.checksum,
        state: RowState::Applied,
        applied_at: None,
        rank: 1,
        note: None,
    };
    let status = judge(&one_file(format, now), &[row], dialect(format)).remove(0);
    assert_eq!(status.verdict, Verdict::Changed, "{format}");
    status.note.unwrap()
}

#[test]
fn other_line_ends_are_told_from_other_edits() {
    let (unix, windows) =
        ("CREATE TABLE a (\n  id int\n);\n", "CREATE TABLE a (\r\n  id int\r\n);\r\n");
    for format in [Format::Plain, Format::Sqlx, Format::Refinery] {
        assert!(note_after(format, unix, windows).starts_with("only line ends differ"), "{format}");
        assert!(note_after(format, windows, unix).starts_with("only line ends differ"), "{format}");
        let edited = note_after(format, unix, &unix.replace("int", "bigint"));
        assert!(edited.starts_with("recorded "), "{edited}");
    }
}
