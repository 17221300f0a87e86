//! TypeORM migrations that hold code, run by the real TypeORM from npm: what pgfleet captures and
//! applies is what TypeORM itself would have done.

#![allow(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use pgfleet_core::config::Flags;
use pgfleet_core::diagnose::{Code, Problem, Severity};
use pgfleet_core::folder::Format;
use pgfleet_core::plan::Plan;
use pgfleet_engine::conduct::{
    ApplyRequest, ChangeError, Consent, Opened, RollbackRequest, RollbackTo, Run, RunOutcome,
    Selection, Target, apply, open, plan_apply, roll_back,
};
use pgfleet_engine::execute::NoEvents;
use pgfleet_engine::project::{self, Project as Loaded};
use pgfleet_engine::typeorm::{capture_applied, capture_pending};
use pgfleet_testkit::peers::npm;
use pgfleet_testkit::{DumpOptions, Project, TestDb};
use tokio::sync::watch;

/// A shared helper, a class in TypeScript that loops over it, one in JavaScript that uses builders,
/// and readable ones before and between.
const FOLDER: [(&str, &str); 6] = [
    ("package.json", "{\"private\":true}\n"),
    (
        "migrations/lib/columns.ts",
        "import { TableColumn } from 'typeorm'
export const stamps = (): TableColumn[] => ['created_at', 'updated_at'].map(
  (name) => new TableColumn({ name, type: 'timestamptz', default: 'now()' }),
)
",
    ),
    (
        "migrations/1700000000000-CreateUsers.ts",
        "import { MigrationInterface, QueryRunner } from 'typeorm'
export class CreateUsers1700000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE TABLE users (id int PRIMARY KEY, email text)`)
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE users`)
  }
}
",
    ),
    (
        "migrations/1700000000001-AddStamps.ts",
        "import { MigrationInterface, QueryRunner } from 'typeorm'
import { stamps } from './lib/columns'

const TABLES: string[] = ['users', 'absent']

export class AddStamps1700000000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES) {
      if (!(await queryRunner.hasTable(table))) continue
      await queryRunner.addColumns(table, stamps())
      await queryRunner.query('INSERT INTO users (id, email) VALUES ($1, $2), ($3, $4)', [
        1, \"o'hara\", 2, null,
      ])
    }
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    for (const column of stamps()) await queryRunner.dropColumn('users', column)
    await queryRunner.query('DELETE FROM users')
  }
}
",
    ),
    (
        "migrations/1700000000002-Index.ts",
        "import { MigrationInterface, QueryRunner } from 'typeorm'
export class Index1700000000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`CREATE INDEX users_email ON users (email)`)
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP INDEX users_email`)
  }
}
",
    ),
    (
        "migrations/1700000000003-AddRoles.js",
        "const { Table, TableForeignKey } = require('typeorm')
const roles = ['admin', 'member']
exports.AddRoles1700000000003 = class AddRoles1700000000003 {
  async up(queryRunner) {
    await queryRunner.createTable(new Table({ name: 'roles', columns: [
      { name: 'id', type: 'int', isPrimary: true, isGenerated: true, generationStrategy: 'increment' },
      { name: 'name', type: 'varchar', isUnique: true },
      { name: 'user_id', type: 'int', isNullable: true },
    ] }), true)
    await queryRunner.createForeignKey('roles', new TableForeignKey({
      columnNames: ['user_id'], referencedTableName: 'users', referencedColumnNames: ['id'],
    }))
    for (const name of roles) {
      await queryRunner.manager.createQueryBuilder().insert().into('roles', ['name'])
        .values({ name }).execute()
    }
    await queryRunner.query(\"SELECT setval('roles_id_seq', (SELECT max(id) + 10 FROM roles))\")
  }
  async down(queryRunner) { await queryRunner.dropTable('roles', true) }
}
",
    ),
];

/// A project on disk with the packages of npm, and what pgfleet makes of it.
struct Team {
    project: Project,
    db: TestDb,
    variables: BTreeMap<String, String>,
}

impl Team {
    fn new(files: &[(&str, &str)]) -> Self {
        let project = Project::with(files.iter().copied());
        symlink(npm::install().join("node_modules"), project.path().join("node_modules")).unwrap();
        Self { project, db: TestDb::new(), variables: BTreeMap::new() }
    }

    fn loaded(&self) -> Loaded {
        let flags = Flags {
            url: Some(self.db.url()),
            dir: Some(self.project.path().join("migrations").display().to_string()),
            format: Some(Format::Typeorm.to_string()),
            ..Flags::default()
        };
        project::load(self.project.path(), None, &self.variables, &flags).unwrap()
    }

    async fn opened(&self) -> (Loaded, Target, Opened) {
        let loaded = self.loaded();
        let target = Target::of(&loaded).unwrap();
        let opened = open(&loaded, &target, loaded.open_folder().unwrap()).await.unwrap();
        (loaded, target, opened)
    }

    async fn plan(&self) -> Result<(Plan, Vec<Problem>), ChangeError> {
        let (loaded, target, mut opened) = self.opened().await;
        capture_pending(&loaded, &target, &mut opened, &Selection::default()).await?;
        let plan = plan_apply(&target, &opened, &Selection::default())?;
        Ok((plan, opened.folder.set.problems.clone()))
    }

    async fn try_apply(&self, to: Option<&str>) -> Result<RunOutcome, ChangeError> {
        let (loaded, target, mut opened) = self.opened().await;
        let selection = Selection { to: to.map(str::to_owned), steps: None };
        capture_pending(&loaded, &target, &mut opened, &selection).await?;
        let request = ApplyRequest { selection, plan: None, run: run("apply") };
        apply(&target, &opened, &request).await
    }

    async fn apply(&self, to: Option<&str>) {
        assert_complete(self.try_apply(to).await.unwrap());
    }

    async fn apply_plan(&self, plan: &Plan) {
        let (_, target, opened) = self.opened().await;
        let (selection, plan) = (Selection::default(), Some(plan.clone()));
        let request = ApplyRequest { selection, plan, run: run("apply") };
        assert_complete(apply(&target, &opened, &request).await.unwrap());
    }

    async fn roll_back(&self, steps: usize) {
        let (loaded, target, mut opened) = self.opened().await;
        let to = RollbackTo::Steps(steps);
        capture_applied(&loaded, &target, &mut opened, &to).await.unwrap();
        let request = RollbackRequest { to, run: run("rollback") };
        assert_complete(roll_back(&target, &opened, &request).await.unwrap());
    }

    /// The refusal of a folder whose one migration, in JavaScript, has this body.
    async fn refusal(body: &str) -> Problem {
        let class = format!(
            "exports.Odd1700000000000 = class Odd1700000000000 {{\n  async up(q) {{\n{body}\n  }}\n}}\n"
        );
        let files = [("package.json", "{}"), ("migrations/1700000000000-Odd.js", class.as_str())];
        let team = Self::new(&files);
        team.db.sql("CREATE TABLE users (id serial, email text)");
        team.db.sql("INSERT INTO users (email) VALUES ('a'), ('b')");
        one(team.plan().await.unwrap_err())
    }
}

fn run(command: &str) -> Run<'_> {
    Run {
        command,
        consent: Consent { data_loss: true },
        continue_on_error: false,
        enclosed: None,
        events: &NoEvents,
        stop: watch::channel(false).1,
    }
}

fn assert_complete(outcome: RunOutcome) {
    match outcome {
        RunOutcome::Ran(report) => assert!(report.complete(), "{:#?}", report.problems),
        RunOutcome::Nothing => panic!("there was something to do"),
    }
}

fn is_complete(outcome: &RunOutcome) -> bool {
    matches!(outcome, RunOutcome::Ran(report) if report.complete())
}

fn one(error: ChangeError) -> Problem {
    assert_eq!(error.problems.len(), 1, "{:#?}", error.problems);
    error.problems.into_iter().next().unwrap()
}

fn position(problem: &Problem) -> (&str, u32) {
    let place = problem.place.as_ref().unwrap();
    (place.file.rsplit('/').next().unwrap(), place.line)
}

fn structure(db: &TestDb) -> String {
    db.dump_schema_with(&DumpOptions::without_pgfleet())
}

/// What the migrations wrote; times differ.
fn contents(db: &TestDb) -> Vec<Vec<Option<String>>> {
    let mut rows = db.rows("SELECT id, email FROM users ORDER BY id");
    rows.extend(db.rows("SELECT id, name FROM roles ORDER BY id"));
    rows.extend(db.rows("SELECT last_value, is_called FROM roles_id_seq"));
    rows.extend(db.rows("SELECT timestamp, name FROM migrations ORDER BY id"));
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn loops_helpers_and_imports_end_as_with_typeorm_itself() {
    let (ours, theirs) = (Team::new(&FOLDER), Team::new(&FOLDER));
    let shown = |team: &Team, command: &str| {
        npm::typeorm(team.project.path(), &team.db.url(), &[command]).assert_success().stdout
    };
    shown(&theirs, "migration:run");
    let head = structure(&theirs.db);
    // The second run finds the first one's structure, and rows, in the target.
    ours.apply(Some("1700000000001")).await;
    ours.apply(None).await;
    assert_eq!(structure(&ours.db), head);
    assert_eq!(contents(&ours.db), contents(&theirs.db));
    assert_eq!(shown(&ours, "migration:show").matches("[X]").count(), 4);

    // Taken back here and there, the same is left; and TypeORM goes on from it.
    ours.roll_back(3).await;
    for _ in 0..3 {
        shown(&theirs, "migration:revert");
    }
    assert_eq!(structure(&ours.db), structure(&theirs.db));
    shown(&ours, "migration:run");
    assert_eq!(structure(&ours.db), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_the_captured_statements_at_their_lines() {
    let team = Team::new(&FOLDER);
    let (plan, problems) = team.plan().await.unwrap();
    let stamps = plan.sql_steps().find(|step| step.version.ends_with("-AddStamps")).unwrap();
    let statements: Vec<_> = stamps.units.iter().flat_map(|unit| unit.statements()).collect();
    let lines: Vec<_> = statements.iter().map(|s| s.place.line).collect();
    assert_eq!(lines, [10, 10, 11]);
    assert!(statements[2].sql.contains("VALUES ('1', 'o''hara'), ('2', NULL)"), "{statements:?}");
    let told: Vec<_> = problems.iter().filter(|p| p.code == Code::CodeOpaque).collect();
    let notes = told.iter().filter(|problem| problem.severity == Severity::Note).count();
    assert_eq!((told.len(), notes), (3, 2), "what takes back is not captured by a plan: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_outside_of_a_transaction_is_finished_by_its_plan() {
    let class = "const names = ['email', 'id']
exports.Slow1700000000000 = class Slow1700000000000 {
  async up(q) {
    await q.query('DO $$ BEGIN END $$')
    for (const n of names) await q.query(`CREATE UNIQUE INDEX CONCURRENTLY u_${n} ON users (${n})`)
  }
}
";
    let files = [("package.json", "{}"), ("migrations/1700000000000-Slow.js", class)];
    let team = Team::new(&files);
    team.db.sql("CREATE TABLE users (id int, email text)");
    team.db.sql("INSERT INTO users VALUES (1, 'a'), (1, 'b')");
    let (plan, _) = team.plan().await.unwrap();
    // Half of it is done, and stays, when the rows stand in the way of the rest: behind a block that
    // could have changed them, they are not looked at beforehand.
    let half = team.try_apply(None).await.unwrap();
    assert!(!is_complete(&half), "the scratch copy has no rows, the target has");
    let problem = one(team.try_apply(None).await.unwrap_err());
    assert!(problem.what.contains("was interrupted"), "{problem:#?}");
    assert_eq!(position(&problem), ("1700000000000-Slow.js", 5));
    team.db.sql("UPDATE users SET id = 2 WHERE email = 'b'");
    team.apply_plan(&plan).await;
    let sql = "SELECT count(*) FROM pg_index WHERE indisvalid AND indrelid = 'users'::regclass";
    assert_eq!(team.db.value(sql), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_depends_on_rows_is_refused_where_it_looks() {
    for (line, body) in [
        (
            4,
            "const rows = await q.query('SELECT id FROM users')\n    for (const row of rows) await q.query(`SELECT ${row.id}`)",
        ),
        (
            3,
            "const [{ n }] = await q.query('SELECT count(*) AS n FROM users')\n    if (n > 0) await q.query('SELECT 1')",
        ),
        (
            4,
            "const made = await q.query(\"INSERT INTO users (email) VALUES ('c') RETURNING id\")\n    await q.query('SELECT $1', [made[0].id])",
        ),
        (
            4,
            "const done = await q.query('UPDATE users SET id = id')\n    if (done[1] > 0) await q.query('SELECT 1')",
        ),
        (
            4,
            "const at = await q.query(\"SELECT nextval('users_id_seq') AS id\")\n    await q.query('SELECT $1', [at[0].id])",
        ),
        (4, "let n = 0\n    try { n = (await q.query('SELECT id FROM users')).length } catch {}"),
    ] {
        let problem = Team::refusal(body).await;
        assert_eq!(position(&problem), ("1700000000000-Odd.js", line), "{body}: {problem:#?}");
        assert!(problem.what.contains("depends on rows"), "{problem:#?}");
        assert!(problem.cause.is_some() && problem.fixes.len() == 2, "{problem:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_not_safe_to_capture_is_refused() {
    for (body, says) in [
        ("throw new Error('no such thing')", "failed on a scratch copy"),
        (
            "for (const t of ['absent']) await q.query(`DROP TABLE ${t}`)",
            "failed on a scratch copy",
        ),
        ("try { await q.query('DROP TABLE absent') } catch {}", "goes on after a statement failed"),
        ("await q.rollbackTransaction()", "rolls back"),
        (
            "const { Client } = require('pg')\nawait new Client({ database: 'x' }).connect()",
            "a connection of its own",
        ),
        ("process.exit(3)", "Node ended before"),
        (
            "const d = await q.getCurrentDatabase()\nawait q.query(`COMMENT ON DATABASE \"${d}\" IS 'x'`)",
            "the database's name",
        ),
    ] {
        let problem = Team::refusal(body).await;
        assert!(problem.what.contains(says), "{body}: {problem:#?}");
        assert_eq!(
            (problem.code, position(&problem).0),
            (Code::CodeOpaque, "1700000000000-Odd.js")
        );
        assert!(position(&problem).1 >= 3, "{problem:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_named_with_what_to_install() {
    let mut team = Team::new(&FOLDER);
    let place = ("1700000000001-AddStamps.ts", 8);
    std::fs::remove_file(team.project.path().join("node_modules")).unwrap();
    let problem = one(team.plan().await.unwrap_err());
    assert_eq!(position(&problem), place);
    let commands = |problem: &Problem| {
        let commands = problem.fixes.iter().filter_map(|fix| fix.command.clone());
        commands.collect::<Vec<_>>().join("; ")
    };
    assert!(problem.cause.as_ref().unwrap().contains("typeorm and pg"), "{problem:#?}");
    assert!(commands(&problem).contains("npm ci"), "{problem:#?}");

    team.variables.insert("PATH".to_owned(), "/nowhere".to_owned());
    let problem = one(team.plan().await.unwrap_err());
    assert_eq!(position(&problem), place);
    assert!(problem.what.contains("Node"), "{problem:#?}");
    assert_eq!(commands(&problem), "apt-get install nodejs npm; npm ci");
}
