//! `pgfleet split` and `pgfleet integrity` on the example of a workshop's ERP: found, settled, moved,
//! proven, taken back; and killed anywhere.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

mod crashed;
mod disk;
mod hunt;
mod killed;
mod service;
mod story;
mod traps;
mod trouble;

use std::fs;
use std::path::Path;

use pgfleet_testkit::{Cluster, DumpOptions, ProgramOutput, Project, TestDb};

/// The example with its monolith, and the names of the databases that it becomes.
struct Stage {
    project: Project,
    db: TestDb,
    /// The server of the databases that it becomes, when it is another one.
    server: Option<Cluster>,
}

impl Stage {
    /// The monolith with `orders` orders and what belongs to them, clean.
    fn new(orders: usize) -> Self {
        Self::on(TestDb::new(), orders)
    }

    fn on(db: TestDb, orders: usize) -> Self {
        let project = Project::new();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/atelier");
        copy(&from, &from, &project);
        let stage = Self { project, db, server: None };
        stage.psql("monolith.sql").assert_success();
        let rows = stage.read("rows.sql");
        stage.project.write("rows.sql", rows.replace(":n", &orders.to_string()));
        stage.psql("rows.sql").assert_success();
        stage
    }

    /// The new databases on another server.
    fn across(db: TestDb, server: &Cluster, orders: usize) -> Self {
        let mut stage = Self::on(db, orders);
        stage.server = Some(server.clone());
        stage.declare("\ndir = ", "\nurl = \"env:NEW_SERVER\"\ndir = ");
        stage
    }

    fn psql(&self, file: &str) -> ProgramOutput {
        self.db.psql_file(&self.project.path().join(file))
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.project.path().join(file)).unwrap()
    }

    /// Replaces a text of `split.toml`, which must be there.
    fn declare(&self, from: &str, to: &str) {
        let text = self.read("split.toml");
        assert!(text.contains(from), "{from}");
        self.project.write("split.toml", text.replace(from, to));
    }

    fn command(&self, args: &[&str]) -> pgfleet_testkit::cli::Cli {
        let name = self.db.name();
        self.project
            .pgfleet(args)
            .env("DATABASE_URL", self.db.url())
            .env("NEW_SERVER", self.new_url("postgres"))
            .env("DB_AUTH_NAME", format!("{name}_auth"))
            .env("DB_SHARED_NAME", format!("{name}_shared"))
            .env("DB_TENANT_PREFIX", name)
    }

    fn run(&self, args: &[&str]) -> ProgramOutput {
        self.command(args).run()
    }

    /// The source's schema without the journal, which stays.
    fn source_schema(&self) -> String {
        self.db.dump_schema_with(&DumpOptions::without_pgfleet())
    }

    /// A command's newest log: what people saw, and its page.
    fn log(&self, command: &str) -> (String, String) {
        let runs = fs::read_dir(self.project.path().join(".pgfleet/runs")).unwrap();
        let runs = runs.map(|run| run.unwrap().file_name().into_string().unwrap());
        let mut runs: Vec<_> = runs.filter(|run| run.ends_with(command)).collect();
        runs.sort();
        let read =
            |file: &str| self.read(&format!(".pgfleet/runs/{}/{file}", runs.last().unwrap()));
        (read("report.txt"), read("report.html"))
    }

    /// Databases that a split made.
    fn made(&self) -> String {
        let name = self.db.name();
        let sql = format!(
            "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database \
             WHERE datname LIKE '{name}\\_%'"
        );
        ask(&self.new_url("postgres"), &sql).replace(name, "*")
    }

    /// A database on the server of those that a split makes.
    fn new_url(&self, database: &str) -> String {
        match &self.server {
            Some(server) => server.url(database),
            None => self.db.url().replace(self.db.name(), database),
        }
    }

    /// Runs a query in a database that a split made.
    fn value(&self, suffix: &str, sql: &str) -> String {
        ask(&self.new_url(&format!("{}{suffix}", self.db.name())), sql)
    }

    /// What all tables hold, and which constraints and indexes there are.
    fn all(&self) -> String {
        let sums = "SELECT string_agg(t || ' ' || n, ',' ORDER BY t) FROM (SELECT c.relname t, \
            (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) || '':'' || \
            coalesce(sum(hashtext(x::text)::bigint), 0) AS n FROM %I x', c.relname), false, true, '')))[1]::text n \
            FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace \
            AND c.relname NOT IN ('migrations', 'societes', 'sites')) s";
        let built = "SELECT string_agg(d, ';' ORDER BY d) FROM (SELECT pg_get_indexdef(indexrelid) d FROM pg_index \
            WHERE indrelid::regclass::text !~ '^(pg_|pgfleet|information)' UNION ALL SELECT conname || \
            pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
            UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal) x";
        let parts = ["_auth", "_shared", "_topsteel"]
            .map(|suffix| format!("{}\n{}", self.value(suffix, sums), self.value(suffix, built)));
        parts.join("\n")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.server.is_some() {
            return;
        }
        for suffix in ["_auth", "_shared", "_topsteel"] {
            let sql = format!("DROP DATABASE IF EXISTS {}{suffix} WITH (FORCE)", self.db.name());
            let _ = self.db.psql(&sql);
        }
    }
}

fn ask(url: &str, sql: &str) -> String {
    let mut command = pgfleet_testkit::client_command("psql");
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]);
    ProgramOutput::of(&mut command).assert_success().stdout.trim().to_owned()
}

fn copy(root: &Path, folder: &Path, project: &Project) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            copy(root, &path, project);
        } else {
            project.write(path.strip_prefix(root).unwrap(), fs::read(&path).unwrap());
        }
    }
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}
