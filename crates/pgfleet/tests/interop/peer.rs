//! The trial that every tool goes through.

use std::path::Path;

use pgfleet_testkit::{
    DumpOptions, ProgramOutput, Project, TestDb,
    migrations::{Change, Format, mixed, render},
};

/// Enough to have tables, rows, columns and indexes of both kinds.
const CHANGES: usize = 12;

/// How a tool is used.
pub struct Peer {
    /// Its folders.
    pub format: Format,
    /// Whether it can run what no transaction holds.
    pub runs_concurrently: bool,
    /// Applies what is pending.
    pub apply: fn(&Path, &str) -> ProgramOutput,
    /// Panics unless the tool finds everything applied and nothing wrong.
    pub assert_clean: fn(&Path, &str),
    /// The history's rows, without times and random numbers.
    pub rows: &'static str,
}

impl Peer {
    /// What is applied in every trial.
    pub fn changes(&self) -> Vec<Change> {
        let mut changes = mixed(3, CHANGES);
        changes.retain(|change| change.transactional || self.runs_concurrently);
        changes.insert(1, function_with_semicolons());
        changes
    }

    /// The tool applies the first half, pgfleet the rest.
    pub fn goes_first(&self) {
        self.trial(
            |peer, project, db| peer.apply(project, db),
            |_, project, db| apply(project, db),
        );
    }

    /// pgfleet applies the first half, the tool the rest.
    pub fn goes_second(&self) {
        self.trial(
            |_, project, db| apply(project, db),
            |peer, project, db| peer.apply(project, db),
        );
    }

    fn trial(
        &self,
        first: impl Fn(&Self, &Project, &TestDb),
        second: impl Fn(&Self, &Project, &TestDb),
    ) {
        let changes = self.changes();
        let (db, project) = (TestDb::new(), self.project(&changes[..changes.len() / 2]));
        first(self, &project, &db);
        self.write(&project, &changes);
        assert_eq!(status(&project, &db).code, 1, "the second half is pending");
        second(self, &project, &db);
        self.assert_agreement(&project, &db);
        self.assert_like_the_tool_alone(&db, &changes);
    }

    /// Both say that all is applied, and neither does anything more.
    pub fn assert_agreement(&self, project: &Project, db: &TestDb) {
        let before = db.rows(self.rows);
        status(project, db).assert_success();
        apply(project, db);
        (self.assert_clean)(project.path(), &db.url());
        self.apply(project, db);
        assert_eq!(db.rows(self.rows), before);
    }

    fn assert_like_the_tool_alone(&self, db: &TestDb, changes: &[Change]) {
        let (alone, project) = (TestDb::new(), self.project(changes));
        self.apply(&project, &alone);
        assert_eq!(db.rows(self.rows), alone.rows(self.rows));
        let options = DumpOptions::without_pgfleet();
        assert_eq!(db.dump_schema_with(&options), alone.dump_schema_with(&options));
    }

    /// A project that holds these changes. Where another tool names its files alike, its
    /// `pgfleet.toml` says whose they are.
    pub fn project(&self, changes: &[Change]) -> Project {
        let project = Project::of(self.format, changes);
        let named = match self.format {
            Format::Refinery => "refinery",
            Format::Sqlx => "sqlx",
            Format::GolangMigrate => "golang-migrate",
            _ => return project,
        };
        project.write(
            "pgfleet.toml",
            format!("[migrations]\ndir = \"migrations\"\nformat = \"{named}\"\n"),
        );
        project
    }

    /// The tool's own run.
    pub fn apply(&self, project: &Project, db: &TestDb) {
        (self.apply)(project.path(), &db.url()).assert_success();
    }

    /// The project's files for these changes.
    pub fn write(&self, project: &Project, changes: &[Change]) {
        for (path, text) in render(self.format, changes) {
            project.write(path, text);
        }
    }
}

/// pgfleet on the project's folder, which it finds by itself.
pub fn pgfleet(project: &Project, db: &TestDb, args: &[&str]) -> ProgramOutput {
    project.pgfleet(args.iter().copied()).args(["--url", &db.url(), "--yes"]).run()
}

/// Everything pending, by pgfleet.
pub fn apply(project: &Project, db: &TestDb) {
    pgfleet(project, db, &["apply", "--allow-data-loss"]).assert_success();
}

/// Whether everything is applied, by the exit code.
pub fn status(project: &Project, db: &TestDb) -> ProgramOutput {
    pgfleet(project, db, &["status", "--exit-code"])
}

/// The newest applied migration is taken back by pgfleet.
pub fn roll_back(project: &Project, db: &TestDb) {
    pgfleet(project, db, &["rollback", "--steps", "1", "--allow-data-loss"]).assert_success();
}

/// What a tool that splits SQL by itself gets wrong most easily, and records.
fn function_with_semicolons() -> Change {
    Change {
        name: "function_f".to_owned(),
        up: "-- A comment; with a semicolon.\n\
             CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$\n\
             BEGIN\n  RETURN 'a;b'; -- c;\nEND\n$body$;\n\n\
             COMMENT ON FUNCTION f() IS 'it''s; done';\n"
            .to_owned(),
        down: "DROP FUNCTION f();\n".to_owned(),
        transactional: true,
    }
}
