//! A project and a database to try a command on.

use pgfleet_testkit::{
    DumpOptions, ProgramOutput, Project, Redactions, TestDb,
    cli::{Cli, Running},
};

/// A project with a folder `migrations`, and an empty database.
pub struct Stage {
    pub project: Project,
    pub db: TestDb,
}

impl Stage {
    /// These files in `migrations`.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self::on(TestDb::new(), files)
    }

    /// These files, and a database that is there already.
    pub fn on(db: TestDb, files: &[(&str, &str)]) -> Self {
        let stage = Self { project: Project::new(), db };
        for (name, sql) in files {
            stage.write(name, sql);
        }
        stage
    }

    /// Writes a migration.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.project.write(format!("migrations/{name}"), content);
    }

    /// pgfleet with arguments, on the database.
    pub fn cli(&self, args: &[&str]) -> Cli {
        self.cli_at(&self.db.url(), args)
    }

    /// pgfleet with arguments, on a URL.
    pub fn cli_at(&self, url: &str, args: &[&str]) -> Cli {
        let cli = self.project.pgfleet(args.iter().copied());
        cli.args(["--url", url, "--dir", "migrations"])
    }

    /// Runs pgfleet to its end.
    pub fn run(&self, args: &[&str]) -> ProgramOutput {
        self.cli(args).run()
    }

    /// Starts pgfleet.
    pub fn spawn(&self, args: &[&str]) -> Running {
        self.cli(args).spawn()
    }

    /// Runs pgfleet, which must end with this code; gives what it said on standard error.
    #[track_caller]
    pub fn ends(&self, args: &[&str], code: i32) -> String {
        ended(self.run(args), code)
    }

    /// Runs `apply`, which must succeed.
    #[track_caller]
    pub fn apply(&self) -> ProgramOutput {
        self.run(&["apply"]).assert_success()
    }

    /// The versions in pgfleet's own history, in order.
    pub fn versions(&self) -> String {
        self.db.value(
            "SELECT string_agg(version, ' ' ORDER BY applied_at, version) FROM pgfleet.migrations",
        )
    }

    /// The schema without pgfleet's own.
    pub fn schema(&self) -> String {
        self.db.dump_schema_with(&DumpOptions::without_pgfleet())
    }

    /// True when pgfleet left nothing in the database.
    pub fn is_untouched(&self) -> bool {
        self.db.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgfleet'") == "0"
    }

    /// Output without what differs from run to run.
    pub fn redact(&self, text: &str) -> String {
        Redactions::of(&self.project, &self.db).apply(text)
    }
}

/// Checks an exit code; gives standard error.
#[track_caller]
pub fn ended(output: ProgramOutput, code: i32) -> String {
    let ProgramOutput { stdout, stderr, code: found } = output;
    assert_eq!(found, code, "stdout:\n{stdout}\nstderr:\n{stderr}");
    stderr
}

/// Checks that a text holds others.
#[track_caller]
pub fn assert_says(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

/// Waits until a query gives `t`.
#[track_caller]
pub fn wait_until(db: &TestDb, query: &str) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while db.value(query) != "t" {
        assert!(std::time::Instant::now() < deadline, "never true: {query}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
