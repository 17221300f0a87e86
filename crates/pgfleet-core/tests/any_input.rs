//! No configuration, script, history or plan file makes a decision panic, and what is decided of
//! it holds together.

use pgfleet_core::config;
use pgfleet_core::folder::{FileTree, Format, SqlBody, TransactionMode, read};
use pgfleet_core::history::{dialect, judge};
use pgfleet_core::place::Place;
use pgfleet_core::plan::{Plan, Unit, units_of};
use pgfleet_core::program;
use proptest::prelude::*;

/// Lines that turn on what a migration may hold in one transaction, and broken ones.
fn script() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "BEGIN;",
        "BEGIN ISOLATION LEVEL SERIALIZABLE;",
        "START TRANSACTION READ WRITE;",
        "COMMIT;",
        "END;",
        "ROLLBACK;",
        "SAVEPOINT a;",
        "ROLLBACK TO a;",
        "PREPARE TRANSACTION 'a';",
        "CREATE TABLE IF NOT EXISTS a.t (id int);",
        "CREATE INDEX CONCURRENTLY i ON t (id);",
        "CREATE INDEX CONCURRENTLY ON t (id);",
        "DROP INDEX CONCURRENTLY i;",
        "REINDEX INDEX CONCURRENTLY i;",
        "VACUUM t;",
        "CREATE DATABASE d;",
        "DROP DATABASE d;",
        "ALTER SYSTEM SET work_mem = '1MB';",
        "ALTER TYPE e ADD VALUE 'é';",
        "SET search_path = a;",
        "SET LOCAL lock_timeout = 1;",
        "INSERT INTO t SELECT 'x;y';",
        "COPY t FROM stdin;\n1\n\\.\n",
        "DO $$ BEGIN COMMIT; END $$;",
        "CALL p();",
        "\\set a b",
        "\\i other.sql",
        "SELECT :a;",
        "-- last",
        "'",
        "$$",
        "/*",
        "\0",
    ]);
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

fn build(text: &str) -> program::Program {
    let place = Place::at("a.sql", 1, 1);
    let body = SqlBody::verbatim(text, place);
    program::build(&body, &|_, _, _| None)
}

/// Transaction control becomes ours; everything else is sent, once and in order, unless the file
/// itself rolls it back.
fn sent(units: &[Unit]) -> Vec<&str> {
    let statements = units.iter().flat_map(Unit::statements);
    let sent = statements.map(|statement| statement.sql.as_str());
    sent.filter(|sql| !sql.starts_with("SET TRANSACTION")).collect()
}

fn is_subsequence(part: &[&str], whole: &[&str]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|wanted| whole.any(|there| there == wanted))
}

fn toml_like() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "version = 1",
        "[database]",
        "url = \"postgres://u:p@h/d\"",
        "url = \"${DATABASE_URL}\"",
        "url = 5",
        "[migrations]",
        "dir = \"migrations\"",
        "format = \"sqlx\"",
        "format = \"none\"",
        "[apply]",
        "lock_timeout = \"5s\"",
        "lock_timeout = \"-1 years\"",
        "statement_timeout = 99999999999999999999",
        "attempts = 0",
        "commit_wait = \"last\"",
        "out_of_order = true",
        "[targets.a]",
        "[[checks]]",
        "[variables]",
        "é = 'ü'",
        "= ",
        "\"",
        "\0",
    ]);
    prop::collection::vec(line, 0..10).prop_map(|lines| lines.join("\n"))
}

/// Cells as history tables have them, and others.
fn cell() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        Just(Some("t".to_owned())),
        Just(Some("20240101000001".to_owned())),
        Just(Some("1.10".to_owned())),
        Just(Some("-9223372036854775808".to_owned())),
        Just(Some("2024-01-01 00:00:00+00".to_owned())),
        Just(Some("\\x00ff".to_owned())),
        "\\PC{0,8}".prop_map(Some),
    ]
}

/// A folder that every format finds something in.
fn tree() -> FileTree {
    let mut tree = FileTree { root: "dir".to_owned(), ..FileTree::default() };
    for path in ["1_a.sql", "V2__b.sql", "20240101000001_c.sql", "20240101000002_d/up.sql"] {
        tree.insert(path, b"-- migrate:up\n-- +goose Up\nSELECT 1;\n".to_vec());
    }
    tree
}

fn plan_of(text: &str) -> String {
    let units = units_of(build(text).statements, TransactionMode::Auto).unwrap_or_default();
    let units = serde_json::to_string(&units).unwrap_or_default();
    format!(
        "{{\"version\":2,\"source\":{{\"of\":\"folder\",\"format\":\"plain\",\
         \"history_table\":\"m\",\"base\":\"\"}},\"fingerprint\":\"\",\"setup\":[],\"hazards\":[],\"steps\":[{{\"step\":\"sql\",\
         \"version\":\"1\",\"name\":\"a\",\"label\":\"1_a\",\"file\":\"1_a.sql\",\"size_bytes\":1,\
         \"direction\":\"up\",\"units\":{units},\"record_started\":[],\"record_done\":[],\
         \"record_failed\":[],\"creates\":[]}}]}}"
    )
}

proptest! {
    #[test]
    fn units_hold_the_statements_of_the_script(text in script()) {
        let program = build(&text);
        let statements: Vec<_> = program.statements.iter().map(|s| s.sql.clone()).collect();
        let whole: Vec<_> = statements.iter().map(String::as_str).collect();
        for mode in [TransactionMode::Auto, TransactionMode::Never] {
            let Ok(units) = units_of(program.statements.clone(), mode) else { continue };
            prop_assert!(is_subsequence(&sent(&units), &whole), "{units:?}");
            let rolls_back = text.contains("ROLLBACK");
            let control = ["BEGIN", "START", "COMMIT", "END", "ROLLBACK"];
            let others: Vec<_> = whole
                .iter()
                .copied()
                .filter(|sql| !control.iter().any(|word| sql.trim_start().starts_with(word)))
                .collect();
            if !rolls_back {
                prop_assert!(is_subsequence(&others, &sent(&units)), "{units:?}");
            }
        }
    }

    #[test]
    fn a_plan_file_is_read_back_as_it_was(text in script()) {
        let json = plan_of(&text);
        let plan: Plan = serde_json::from_str(&json).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let again = serde_json::to_string(&plan).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let read: Plan = serde_json::from_str(&again).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(read, plan);
    }

    #[test]
    fn a_spoiled_plan_file_is_refused_or_read(text in script(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut json = plan_of(&text).into_bytes();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(plan) = serde_json::from_slice::<Plan>(&json) {
            prop_assert!(plan.sql_steps().count() <= 1);
        }
    }

    #[test]
    fn any_configuration_is_read_or_refused_with_its_file(text in prop_oneof![toml_like(), any::<String>()]) {
        if let Err(problem) = config::parse(&text, "pgfleet.toml") {
            prop_assert!(problem.is_error());
            prop_assert!(problem.place.is_some_and(|place| place.file == "pgfleet.toml"));
        }
    }

    #[test]
    fn any_history_is_understood_or_refused(
        rows in prop::collection::vec(prop::collection::vec(cell(), 0..12), 0..5),
    ) {
        let tree = tree();
        for format in Format::ALL {
            let dialect = dialect(format);
            let Ok(rows) = dialect.parse(&rows) else { continue };
            let set = read(&tree, format);
            let statuses = judge(&set, &rows, dialect);
            prop_assert!(statuses.len() <= set.migrations.len() + rows.len());
            let judged = |version: &String| statuses.iter().any(|s| s.version == *version);
            prop_assert!(set.migrations.iter().all(|m| judged(&m.version)), "{statuses:?}");
        }
    }
}
