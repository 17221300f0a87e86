//! `cargo xtask bench`: pgfleet against the peers, as whole processes on throwaway clusters.
//!
//! Invariant: in a round every contender runs once, one after the other, so that whatever else the
//! machine does falls on all of them; figures are medians over the rounds, and ratios are what is
//! to be read.

mod contender;
mod contest;
mod figures;
mod fleet;
mod moving;
mod process;
mod results;
mod schema;
mod small;
mod tenancy;

use std::{path::PathBuf, process::Command, process::ExitCode, time::Duration};

use pgfleet_testkit::{Cluster, proxy::Proxy};

use crate::checkout;
use contender::Contender;
use contest::Line;
use results::Results;

/// What `bench` was asked to do.
struct Options {
    /// Migrations in the folder.
    migrations: usize,
    /// Rounds on the local socket.
    rounds: usize,
    /// Rounds through the proxy, where a peer takes a minute.
    slow_rounds: usize,
    /// Size of the tables that are moved.
    gigabytes: f64,
    /// Rows that get a tenant column.
    rows: u64,
    /// Measured instead of a release build.
    binary: Option<PathBuf>,
    /// Only sections whose title holds this.
    only: String,
}

/// The delay of the proxy in each direction: a managed database in another region.
const DELAY: Duration = Duration::from_millis(10);

/// Measures and writes `benches/results.md`.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let Some(options) = parse(words) else {
        eprintln!("{}", crate::USAGE);
        return ExitCode::from(2);
    };
    let binary = options.binary.clone().unwrap_or_else(build_release);
    let contenders = match options.is_without_peers() {
        true => Vec::new(),
        false => contender::all(&binary, options.migrations),
    };
    let mut results = Results::begin(&options, &contenders);
    small::measure(&options, &binary, &mut results);
    if !options.is_without_peers() {
        on_server(&options, &contenders, &mut results);
    }
    fleet::measure(&options, &binary, &mut results);
    moving::measure(&options, &binary, &mut results);
    tenancy::measure(&options, &binary, &mut results);
    schema::measure(&options, &binary, &mut results);
    results.finish(options.only.is_empty());
    ExitCode::SUCCESS
}

fn parse(words: &[&str]) -> Option<Options> {
    let mut options = Options {
        migrations: 1000,
        rounds: 5,
        slow_rounds: 1,
        gigabytes: 0.5,
        rows: 10_000_000,
        binary: None,
        only: String::new(),
    };
    let mut words = words.iter();
    while let Some(name) = words.next() {
        let value = words.next()?;
        match *name {
            "--migrations" => options.migrations = value.parse().ok()?,
            "--rounds" => options.rounds = value.parse().ok()?,
            "--slow-rounds" => options.slow_rounds = value.parse().ok()?,
            "--gigabytes" => options.gigabytes = value.parse().ok()?,
            "--rows" => options.rows = value.parse().ok().filter(|rows| *rows > 0)?,
            "--binary" => options.binary = Some(std::fs::canonicalize(value).ok()?),
            "--only" => options.only = (*value).to_owned(),
            _ => return None,
        }
    }
    Some(options)
}

impl Options {
    fn wants(&self, title: &str) -> bool {
        title.contains(&self.only)
    }

    /// The peers that apply migrations take minutes to build.
    fn is_without_peers(&self) -> bool {
        ["moving", "tenant"].iter().any(|word| self.only.starts_with(word))
    }
}

/// cargo in the checkout. What `cargo run` tells xtask about xtask would make build scripts run
/// again that watch those variables.
fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let about_xtask = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if name.to_str().is_some_and(|name| about_xtask.iter().any(|p| name.starts_with(p))) {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(checkout::root());
    cargo
}

/// The binary as it is shipped.
fn build_release() -> PathBuf {
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--package", "pgfleet"]);
    let status = cargo.status().expect("run cargo");
    assert!(status.success(), "the release build failed");
    checkout::root().join("target/release/pgfleet")
}

/// A server set up as one that holds gigabytes is.
fn cluster_for_many_rows() -> Cluster {
    let cluster = Cluster::fresh().durable();
    cluster.setting("shared_buffers", "512MB").setting("max_wal_size", "8GB").start()
}

fn on_server(options: &Options, contenders: &[Contender], results: &mut Results) {
    let clusters = [
        ("commits wait for the disk", Cluster::fresh().durable().start()),
        ("no fsync", Cluster::fresh().start()),
    ];
    for (words, cluster) in &clusters {
        let title = format!("apply of {} migrations, {words}", options.migrations);
        if options.wants(&title) {
            let line = Line { cluster, proxy: None };
            results.contest(&title, contest::apply(&line, contenders, options.rounds));
        }
    }
    let [(_, durable), _] = &clusters;
    let title = format!("status with {} applied", options.migrations);
    if options.wants(&title) {
        results.contest(&title, contest::status(durable, contenders, options.rounds * 3));
    }
    let title = format!("apply of {} migrations through 10 ms each way", options.migrations);
    if options.wants(&title) {
        let proxy = Proxy::before(durable, DELAY);
        let line = Line { cluster: durable, proxy: Some(&proxy) };
        results.contest(&title, contest::apply(&line, contenders, options.slow_rounds));
    }
}
