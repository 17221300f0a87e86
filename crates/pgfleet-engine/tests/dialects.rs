//! Every dialect's SQL against a real server: create, record, read, revert, and the round trip.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use pgfleet_core::folder::{FileTree, Format, Migration, MigrationSet, read};
use pgfleet_core::history::{
    Dialect, HistoryRow, MigrationStatus, RecordContext, RowState, Verdict, dialect, judge,
};
use pgfleet_sql::QualifiedName;
use pgfleet_testkit::TestDb;

/// Comments belong to the statement after them, those at the end to none.
const SUPABASE_FILE: &str =
    "SELECT 'it''s';\n\n-- two; 2\nSELECT E'\\\\';\n-- the end;\n-- of it\n";

/// Two migrations of each format; the first has a name that needs quoting where it can.
fn folder(format: Format) -> MigrationSet {
    let files: &[(&str, &str)] = match format {
        Format::Plain => &[("001_it's.sql", "SELECT 1;"), ("002_b.sql", "SELECT 2;")],
        Format::Supabase => &[("1_it's.sql", SUPABASE_FILE), ("2_b.sql", "SELECT 2;")],
        Format::Prisma => {
            &[("1_it's/migration.sql", "SELECT 1;\n"), ("2_b/migration.sql", "SELECT 2;")]
        }
        Format::Typeorm => &[
            ("1700000000000-A.ts", "class A1700000000000 { up(q) { q.query('SELECT 1') } }"),
            ("1700000000001-B.ts", "class B1700000000001 { up(q) { q.query('SELECT 2') } }"),
        ],
        Format::Flyway => &[("V01__it's.sql", "SELECT 1;"), ("R__b.sql", "SELECT 2;")],
        Format::Dbmate => &[
            ("1_it's.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
            ("2_b.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
        ],
        Format::Sqlx => &[("1_it's.sql", "SELECT 1;"), ("2_b.sql", "SELECT 2;")],
        Format::Diesel => &[("1'_a/up.sql", "SELECT 1;"), ("2_b/up.sql", "SELECT 2;")],
        Format::Goose => {
            &[("1_a.sql", "-- +goose Up\nSELECT 1;"), ("2_b.sql", "-- +goose Up\nSELECT 2;")]
        }
        Format::GolangMigrate => &[("1_a.up.sql", "SELECT 1;"), ("2_b.up.sql", "SELECT 2;")],
        Format::Drizzle => &[
            ("20240101000000_a/migration.sql", "SELECT 1;"),
            ("20240102000000_b/migration.sql", "SELECT 2;"),
        ],
        Format::Refinery => &[("V1__a.sql", "SELECT 1;"), ("V20240101000000__b.sql", "SELECT 2;")],
    };
    let set = read(&FileTree::from_files("migrations", files.iter().copied()), format);
    assert_eq!(set.migrations.len(), 2, "{:?}", set.problems);
    set
}

/// A table under test.
struct History {
    database: TestDb,
    dialect: &'static dyn Dialect,
    table: QualifiedName,
    set: MigrationSet,
}

impl History {
    fn new(format: Format) -> Self {
        let dialect = dialect(format);
        let mut table = dialect.default_table();
        table.schema.get_or_insert_with(|| "public".to_owned());
        let history = Self { database: TestDb::new(), dialect, table, set: folder(format) };
        history.run(&dialect.create_sql(&history.table));
        history
    }

    fn run(&self, statements: &[String]) {
        self.database.sql(&statements.join(";\n"));
    }

    fn columns(&self) -> Vec<String> {
        let QualifiedName { schema, name } = &self.table;
        let sql = format!(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = '{}' AND \
             table_name = '{name}'",
            schema.as_deref().unwrap()
        );
        self.database.rows(&sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
    }

    fn context(&self, at: usize) -> RecordContext {
        RecordContext {
            table: self.table.clone(),
            next_rank: i64::try_from(at).unwrap() + 1,
            columns: self.columns(),
            previous_version: at.checked_sub(1).map(|at| self.set.migrations[at].version.clone()),
        }
    }

    fn apply(&self, at: usize) {
        self.run(&self.dialect.record_applied(&self.context(at), &self.set.migrations[at]));
    }

    fn rows(&self) -> Vec<HistoryRow> {
        let rows = self.database.rows(&self.dialect.read_sql(&self.table));
        self.dialect.parse(&rows).unwrap()
    }

    fn statuses(&self) -> Vec<MigrationStatus> {
        judge(&self.set, &self.rows(), self.dialect)
    }

    fn verdicts(&self) -> Vec<Verdict> {
        self.statuses().into_iter().map(|status| status.verdict).collect()
    }
}

#[test]
fn what_is_recorded_reads_back_as_applied() {
    for format in Format::ALL {
        let history = History::new(format);
        assert_eq!(history.verdicts(), [Verdict::Pending, Verdict::Pending], "{format}");
        history.apply(0);
        assert_eq!(history.verdicts(), [Verdict::Applied, Verdict::Pending], "{format}");
        history.apply(1);
        assert_eq!(history.statuses().len(), 2, "{format}: {:?}", history.statuses());
        assert_eq!(history.verdicts(), [Verdict::Applied, Verdict::Applied], "{format}");
    }
}

#[test]
fn what_is_reverted_reads_back_as_pending() {
    for format in Format::ALL {
        let history = History::new(format);
        history.apply(0);
        history.apply(1);
        for at in [1, 0] {
            let migration = &history.set.migrations[at];
            history.run(&history.dialect.record_reverted(&history.context(at), migration));
            assert_eq!(history.verdicts()[at], Verdict::Pending, "{format} {at}");
        }
        history.apply(0);
        assert_eq!(history.verdicts(), [Verdict::Applied, Verdict::Pending], "{format}");
    }
}

#[test]
fn what_has_begun_reads_back_as_failed_until_it_is_recorded() {
    let mut told = Vec::new();
    for format in Format::ALL {
        let history = History::new(format);
        let (context, migration) = (history.context(0), &history.set.migrations[0]);
        let started = history.dialect.record_started(&context, migration);
        let failed = history.dialect.record_failed(&context, migration, "it's over");
        if started.is_empty() && failed.is_empty() {
            continue;
        }
        told.push(format);
        history.run(&started);
        history.run(&failed);
        assert_eq!(history.verdicts()[0], Verdict::Failed, "{format}");
        history.apply(0);
        assert_eq!(history.verdicts()[0], Verdict::Applied, "{format}");
        assert_eq!(history.rows().len(), 1, "{format}");
    }
    assert_eq!(told, [Format::Prisma, Format::Flyway, Format::Sqlx, Format::GolangMigrate]);
}

#[test]
fn an_edited_file_is_changed_until_its_checksum_is_recorded() {
    let mut kept = Vec::new();
    for format in Format::ALL {
        let mut history = History::new(format);
        history.apply(0);
        let Some(checksum) = history.set.migrations[0].checksum.clone() else { continue };
        kept.push(format);
        assert_eq!(history.rows()[0].checksum.as_ref(), Some(&checksum), "{format}");
        edit(&mut history.set.migrations[0], &checksum);
        assert_eq!(history.verdicts()[0], Verdict::Changed, "{format}");
        let edited = &history.set.migrations[0];
        history.run(&history.dialect.record_checksum(&history.context(0), edited));
        assert_eq!(history.verdicts()[0], Verdict::Applied, "{format}");
    }
    let expected = [
        Format::Plain,
        Format::Prisma,
        Format::Flyway,
        Format::Sqlx,
        Format::Drizzle,
        Format::Refinery,
    ];
    assert_eq!(kept, expected);
}

/// Another checksum of the same form, and another text.
fn edit(migration: &mut Migration, checksum: &str) {
    let last = if checksum.ends_with('1') { "2" } else { "1" };
    migration.checksum = Some(format!("{}{last}", &checksum[..checksum.len() - 1]));
    migration.up.chunks[0].sql.push_str("SELECT 'edited';");
}

#[test]
fn tables_have_the_columns_that_are_required_and_no_others_without_default() {
    for format in Format::ALL {
        let history = History::new(format);
        let columns = history.columns();
        let known = |column: &String| {
            let required = history.dialect.required_columns().iter();
            required.chain(history.dialect.optional_columns()).any(|name| name == column)
        };
        assert!(columns.iter().all(known), "{format}: {columns:?}");
        let required = history.dialect.required_columns();
        assert!(required.iter().all(|name| columns.contains(&(*name).to_owned())), "{format}");
    }
}

#[test]
fn line_ends_do_not_change_a_prisma_migration() {
    let mut history = History::new(Format::Prisma);
    history.apply(0);
    history.set.migrations[0].up.chunks[0].sql = "SELECT 1;\r\n".to_owned();
    history.set.migrations[0].checksum = Some("0".repeat(64));
    assert_eq!(history.verdicts()[0], Verdict::Applied);
}

#[test]
fn a_baseline_row_of_flyway_stands_for_what_is_before_it() {
    let history = History::new(Format::Flyway);
    history.database.sql(
        "INSERT INTO flyway_schema_history VALUES (1, '1', '<< Flyway Baseline >>', 'BASELINE', \
         '<< Flyway Baseline >>', NULL, 'me', now(), 0, true)",
    );
    assert_eq!(history.rows()[0].state, RowState::Baseline);
    assert_eq!(history.verdicts(), [Verdict::Applied, Verdict::Pending]);
}

#[test]
fn statements_are_recorded_for_supabase_as_they_are() {
    let history = History::new(Format::Supabase);
    history.apply(0);
    let sql = "SELECT unnest(statements), name FROM supabase_migrations.schema_migrations";
    let rows = history.database.rows(sql);
    let recorded: Vec<_> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(recorded, ["SELECT 'it''s'", "-- two; 2\nSELECT E'\\\\'", "-- the end;\n-- of it"]);
    assert_eq!(rows[0][1].as_deref(), Some("it's"));
}
