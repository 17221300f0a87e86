//! A server with many databases, and a project with groups.

use std::path::Path;
use std::process::Command;

use pgfleet_testkit::cli::Cli;
use pgfleet_testkit::{Cluster, ProgramOutput, Project, TestDb};
use serde_json::Value;

/// A name that breaks out of careless quoting.
pub const HOSTILE: &str = "a\"; DROP DATABASE x; --";

/// A server of its own, a maintenance database on it, and a project.
pub struct Fleet {
    pub project: Project,
    pub cluster: Cluster,
    pub main: TestDb,
}

impl Fleet {
    /// Databases of these names, and a project without files.
    pub fn of(names: &[&str]) -> Self {
        let cluster = Cluster::fresh().setting("fsync", "off").start();
        let main = TestDb::on(&cluster);
        for name in names {
            main.sql(&format!("CREATE DATABASE {}", quote(name)));
        }
        Self { project: Project::new(), cluster, main }
    }

    /// The same with a group `tenants` of all databases that a pattern fits.
    pub fn by_pattern(names: &[&str], pattern: &str) -> Self {
        let fleet = Self::of(names);
        fleet.configure(&format!(
            "[groups.tenants]\nserver = {}\ndatabases = {}\ndir = \"migrations\"\n",
            toml(&fleet.main.url()),
            toml(pattern)
        ));
        fleet
    }

    pub fn configure(&self, text: &str) {
        self.project.write("pgfleet.toml", text);
    }

    pub fn migration(&self, name: &str, sql: &str) {
        self.project.write(format!("migrations/{name}"), sql);
    }

    pub fn cli(&self, args: &[&str]) -> Cli {
        self.project.pgfleet(args.iter().copied())
    }

    pub fn run(&self, args: &[&str]) -> ProgramOutput {
        self.cli(args).run()
    }

    /// Runs pgfleet, which must end with this code.
    #[track_caller]
    pub fn ends(&self, args: &[&str], code: i32) -> ProgramOutput {
        let output = self.run(args);
        let ProgramOutput { stdout, stderr, code: found } = &output;
        assert_eq!(*found, code, "stdout:\n{stdout}\nstderr:\n{stderr}");
        output
    }

    /// What a command says of each target, as JSON.
    #[track_caller]
    pub fn json(&self, args: &[&str], code: i32) -> Value {
        let output = self.ends(&[args, &["--output", "json"]].concat(), code);
        serde_json::from_str(&output.stdout).expect("JSON")
    }

    /// A value from a database of the fleet.
    #[track_caller]
    pub fn value(&self, database: &str, sql: &str) -> String {
        psql(&self.cluster, database, &["-Atc", sql])
    }

    pub fn sql(&self, database: &str, sql: &str) {
        psql(&self.cluster, database, &["-c", sql]);
    }
}

fn psql(cluster: &Cluster, database: &str, args: &[&str]) -> String {
    let output = Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1"])
        .args(args)
        .env("PGDATABASE", database)
        .env("PGHOST", cluster.socket_dir())
        .env("PGPORT", cluster.port().to_string())
        .env("PGUSER", "postgres")
        .current_dir(Path::new("/"))
        .output()
        .expect("psql runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Behind which messages of a run connections are cut: `PGFLEET_BOUNDARIES=all` means behind each,
/// `2/4` behind each of the second quarter, a number so many of all; else so many as is usual, from
/// the given one on.
pub fn cuts(from: u64, messages: u64, usual: u64) -> Vec<u64> {
    let wanted = std::env::var("PGFLEET_BOUNDARIES").unwrap_or_default();
    if let Some((part, parts)) = part_of(&wanted) {
        return (messages * (part - 1) / parts + 1..=messages * part / parts).collect();
    }
    let (from, count) = match (wanted.as_str(), wanted.parse()) {
        ("all", _) => (1, messages),
        (_, Ok(count)) => (1, count),
        _ => (from, usual),
    };
    (0..count).map(|cut| from + cut * (messages - from + 1) / count).collect()
}

fn part_of(wanted: &str) -> Option<(u64, u64)> {
    let (part, parts) = wanted.split_once('/')?;
    let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
    (1..=parts).contains(&part).then_some((part, parts))
}

/// JSON's strings are TOML's basic strings.
pub fn toml(text: &str) -> String {
    Value::from(text).to_string()
}

/// Each target's name and what was said of it, in order.
pub fn verdicts(found: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let targets = found["targets"].as_array().expect("targets");
    targets.iter().map(|one| (text(&one["target"]), text(&one["verdict"]))).collect()
}
