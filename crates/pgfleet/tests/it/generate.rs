//! `generate` for every format: the files, `apply`, no drift, and back again.

use pgfleet_testkit::{ProgramOutput, Project, TestDb};

use crate::stage::assert_says;

/// Formats with a first migration that makes `FIRST`.
const FOLDERS: &[(&str, &str, &str)] = &[
    ("plain", "001_first.sql", "{}"),
    ("supabase", "20240101000000_first.sql", "{}"),
    ("prisma", "20240101000000_first/migration.sql", "{}"),
    (
        "typeorm",
        "1700000000000-First.ts",
        "import { MigrationInterface, QueryRunner } from \"typeorm\";\n\
         export class First1700000000000 implements MigrationInterface {\n\
         public async up(q: QueryRunner) { await q.query(`{}`); }\n\
         public async down(q: QueryRunner) { await q.query(`DROP TABLE a`); } }\n",
    ),
    ("flyway", "V1__first.sql", "{}"),
    ("dbmate", "20240101000000_first.sql", "-- migrate:up\n{}\n-- migrate:down\n"),
    ("sqlx", "20240101000000_first.up.sql", "{}"),
    ("diesel", "2024-01-01-000000_first/up.sql", "{}"),
    ("goose", "00001_first.sql", "-- +goose Up\n{}\n-- +goose Down\n"),
    ("golang-migrate", "000001_first.up.sql", "{}"),
    ("drizzle", "0000_first.sql", "{}"),
    ("refinery", "V1__first.sql", "{}"),
];

const JOURNAL: &str = r#"{"version":"7","dialect":"postgresql","entries":[{"idx":0,
    "version":"7","when":1700000000000,"tag":"0000_first","breakpoints":true}]}"#;

const FIRST: &str = "CREATE TABLE a (id int PRIMARY KEY, v varchar(20), gone int);";

const WANTED: &str = "CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE a (id int PRIMARY KEY, v varchar(40) NOT NULL, mood mood DEFAULT 'good',
        CONSTRAINT a_v UNIQUE (v));
    CREATE INDEX a_mood ON a (mood) WHERE mood = 'bad';
    CREATE TABLE b (a int REFERENCES a, n int CHECK (n > 0));
    CREATE FUNCTION newest() RETURNS a LANGUAGE sql AS $$ SELECT * FROM a ORDER BY id DESC LIMIT 1; $$;
    CREATE VIEW bad AS SELECT id FROM a WHERE mood = 'bad';";

struct Stage {
    project: Project,
    db: TestDb,
    format: &'static str,
}

impl Stage {
    fn of(format: &'static str, path: &str, text: &str) -> Self {
        let stage = Self { project: Project::new(), db: TestDb::new(), format };
        stage.project.write(format!("migrations/{path}"), text.replace("{}", FIRST));
        if format == "drizzle" {
            stage.project.write("migrations/meta/_journal.json", JOURNAL);
        }
        stage.project.write("wanted.sql", WANTED);
        stage
    }

    fn run(&self, args: &[&str]) -> ProgramOutput {
        let url = self.db.url();
        let dir = ["--url", &url, "--dir", "migrations", "--format", self.format];
        self.project.pgfleet(args.iter().copied()).args(dir).run()
    }
}

fn check(&(format, path, text): &(&'static str, &str, &str)) {
    let stage = Stage::of(format, path, text);
    stage.run(&["apply"]).assert_success();
    stage.db.sql("INSERT INTO a SELECT i, i::text, i FROM generate_series(1, 20) i");
    let before = stage.db.dump_schema_with(&Default::default());
    let dry =
        stage.run(&["generate", "wanted", "--to", "wanted.sql", "--dry-run"]).assert_success();
    assert_says(&dry.stdout, &["nothing was written"]);
    let made = stage.run(&["generate", "wanted", "--to", "wanted.sql"]).assert_success();
    assert_says(&made.stdout, &["proven on a scratch copy", "+ table public.b"]);
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    let drift = stage.run(&["drift"]);
    assert_eq!(drift.code, 0, "{format}: {}{}", drift.stdout, drift.stderr);
    let rest = stage.run(&["diff", "target", "wanted.sql", "--exit-code"]);
    assert_eq!(rest.code, 0, "{format}: {}", rest.stdout);
    let again = stage.run(&["generate", "again", "--to", "wanted.sql"]).assert_success();
    assert_says(&again.stdout, &["Nothing to generate"]);
    if made.stdout.contains("Taken back on the copy") {
        assert_says(&made.stdout, &["does not bring back rows: the up part drops column gone"]);
        let first =
            path.split(['_', '-']).next().unwrap_or_default().trim_start_matches('V').to_owned();
        let first = match format {
            "diesel" => "20240101000000",
            "goose" | "golang-migrate" => "1",
            _ => first.as_str(),
        };
        stage.run(&["rollback", "--to", first, "--allow-data-loss", "--yes"]).assert_success();
        assert_eq!(stage.db.dump_schema_with(&Default::default()), before, "{format}");
    }
}

/// One test a format, so that they run beside each other.
macro_rules! formats {
    ($($name:ident = $at:literal;)+) => { $(#[test] fn $name() { check(&FOLDERS[$at]); })+ };
}

formats! {
    plain_is_generated_and_applied = 0;
    supabase_is_generated_and_applied = 1;
    prisma_is_generated_and_applied = 2;
    typeorm_is_generated_and_applied = 3;
    flyway_is_generated_and_applied = 4;
    dbmate_is_generated_and_applied = 5;
    sqlx_is_generated_and_applied = 6;
    diesel_is_generated_and_applied = 7;
    goose_is_generated_and_applied = 8;
    golang_migrate_is_generated_and_applied = 9;
    drizzle_is_generated_and_applied = 10;
    refinery_is_generated_and_applied = 11;
}

#[test]
fn the_desired_schema_may_be_what_a_command_prints() {
    let stage = Stage::of("plain", "001_first.sql", "{}");
    let printed = stage.run(&["generate", "x", "--to", "command:cat wanted.sql", "--dry-run"]);
    assert_says(&printed.assert_success().stdout, &["CREATE VIEW public.bad"]);
    stage.project.write("pgfleet.toml", "[schema]\ncommand = [\"cat\", \"wanted.sql\"]\n");
    let configured = stage.run(&["generate", "x", "--dry-run"]).assert_success();
    assert_says(&configured.stdout, &["CREATE VIEW public.bad", "002_x.sql"]);
    let failing = stage.run(&["diff", "migrations", "command:echo no schema >&2; exit 3"]);
    assert_eq!(failing.code, 4, "{}", failing.stderr);
    assert_says(&failing.stderr, &["PF345", "exit status: 3", "no schema"]);
    let nothing = Stage::of("plain", "001_first.sql", "{}").run(&["generate", "x"]);
    assert_eq!(nothing.code, 2);
    assert_says(&nothing.stderr, &["PF101", "--to"]);
    let refused =
        stage.run(&["generate", "x", "--to", "wanted.sql", "--online", "--format", "refinery"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
}

/// As a run leaves it that was killed between the names of a down file and its up file.
#[test]
fn what_a_killed_run_left_is_refused_and_then_finished() {
    let stage = Stage::of("golang-migrate", "000001_first.up.sql", "{}");
    let (down, up) = ("DROP TABLE late;\n", "CREATE TABLE late (id int);\n");
    let file = |path, text| serde_json::json!({ "path": path, "text": text, "before": null });
    let files = [file("000002_late.down.sql", down), file("000002_late.up.sql", up)];
    let journal = serde_json::json!({ "version": 1, "files": files }).to_string();
    stage.project.write("migrations/.pgfleet-generate.json", &journal);
    stage.project.write("migrations/000002_late.down.sql", down);
    stage.project.write("late.sql", format!("{FIRST}{up}"));
    let again = ["generate", "late", "--to", "late.sql"];
    for refused in [&["status"][..], &["apply"], &[again, ["--dry-run"; 4]].concat()[..5]] {
        let refused = stage.run(refused);
        assert_eq!(refused.code, 5, "{}", refused.stderr);
        assert_says(&refused.stderr, &["PF441", "000002_late.up.sql", "pgfleet generate"]);
    }
    stage.project.write("migrations/000002_late.down.sql", "-- mine");
    let conflict = stage.run(&again);
    assert_eq!(conflict.code, 5, "{}", conflict.stderr);
    assert_says(&conflict.stderr, &["PF442", "000002_late.down.sql"]);
    stage.project.write("migrations/000002_late.down.sql", down);
    let finished = stage.run(&again).assert_success();
    assert_says(&finished.stdout, &["Finished", "000002_late.up.sql", "Nothing to generate"]);
    assert_eq!(stage.project.read("migrations/000002_late.up.sql"), up);
    assert!(!stage.project.path().join("migrations/.pgfleet-generate.json").exists());
    stage.run(&["apply"]).assert_success();
}
