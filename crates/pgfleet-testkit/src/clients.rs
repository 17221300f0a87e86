//! Ordinary clients of a database: pgbench, which runs scripts until it is stopped.
//!
//! Invariant: a statement that fails, or that waits for a lock for longer than a second, is seen.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{Project, client_command};

/// A statement that waits longer for a lock fails, and its client with it.
const LONGEST_WAIT: &str = "-c lock_timeout=1s";
/// How long the last statements of clients that were stopped may go on.
const END: Duration = Duration::from_secs(20);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Clients at work.
pub struct Clients {
    bench: Child,
    files: Project,
    /// What the server calls them.
    name: String,
}

impl Clients {
    /// So many clients, each of which runs one of the scripts (`.sql`, with pgbench's `\set`) after the
    /// other; `settings` as `-c name=value`.
    pub fn on(url: &str, clients: usize, settings: &str, scripts: &[&str]) -> Self {
        let files = Project::new();
        let mut bench = client_command("pgbench");
        bench.args(["--no-vacuum", "--time=3600", "--client", &clients.to_string()]);
        for (number, script) in scripts.iter().enumerate() {
            let name = format!("{number}.sql");
            files.write(&name, script);
            bench.arg("--file").arg(files.path().join(name));
        }
        let log = File::create(files.path().join("log")).expect("a log");
        let name = format!("clients {}", NEXT.fetch_add(1, Ordering::Relaxed));
        bench.arg(url).env("PGOPTIONS", format!("{LONGEST_WAIT} {settings}"));
        bench.env("PGAPPNAME", &name).stdout(Stdio::null()).stderr(log);
        Self { bench: bench.spawn().expect("pgbench runs"), files, name }
    }

    /// Stops them; none may have failed. `value` asks their database.
    #[track_caller]
    pub fn assert_undisturbed(mut self, value: impl Fn(&str) -> String) {
        let ended = self.bench.try_wait().expect("pgbench");
        let _ = self.bench.kill();
        let _ = self.bench.wait();
        let log = fs::read_to_string(self.files.path().join("log")).expect("a log");
        let failed: Vec<_> = log.lines().filter(|line| line.contains("error:")).collect();
        assert!(failed.is_empty() && ended.is_none(), "clients failed: {failed:#?}\n{log}");
        let begun = Instant::now();
        let there = format!(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE application_name = '{}' AND datname = current_database()",
            self.name
        );
        while value(&there) != "0" {
            assert!(begun.elapsed() < END, "clients that were stopped do not end");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.bench.kill();
        let _ = self.bench.wait();
    }
}
