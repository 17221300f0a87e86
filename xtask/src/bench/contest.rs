//! Rounds in which every contender does the same work.

use pgfleet_testkit::{Cluster, TestDb, proxy::Proxy};

use super::{
    contender::{Contender, Role},
    figures::median,
    process::{self, Sample},
};

/// The way to the server.
pub(super) struct Line<'a> {
    pub cluster: &'a Cluster,
    pub proxy: Option<&'a Proxy>,
}

/// What one contender needed.
#[derive(Debug)]
pub(super) struct Entry {
    /// The contender's name.
    pub name: String,
    /// What it is measured as.
    pub role: Role,
    /// Median, in milliseconds.
    pub elapsed_ms: f64,
    /// The fastest round, in milliseconds.
    pub fastest_ms: f64,
    /// Median processor time of the server, in milliseconds.
    pub server_cpu_ms: f64,
    /// Peak memory of one more run, in MB; None when it was not measured.
    pub peak_mb: Option<f64>,
}

impl Line<'_> {
    fn url(&self, database: &TestDb) -> String {
        match self.proxy {
            Some(proxy) => proxy.through(&database.url()),
            None => database.url(),
        }
    }
}

/// Everything applied to an empty database.
pub(super) fn apply(line: &Line<'_>, contenders: &[Contender], rounds: usize) -> Vec<Entry> {
    let mut samples: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            let database = empty(line.cluster);
            let sample =
                process::run(contender, &contender.apply, &line.url(&database), line.cluster);
            check(contender, &database);
            eprintln!("round {round}: {:<40} {:>9.0} ms", contender.name, sample.elapsed_ms);
            samples.push(sample);
        }
    }
    let peak = |contender: &Contender| {
        let measured = contender.role != Role::Floor && line.proxy.is_none();
        measured.then(|| {
            let database = empty(line.cluster);
            process::peak_mb(contender, &contender.apply, &line.url(&database))
        })
    };
    let entries = contenders.iter().zip(samples);
    entries.map(|(contender, samples)| entry(contender, &samples, peak(contender))).collect()
}

/// The list of what is applied, with everything applied.
pub(super) fn status(cluster: &Cluster, contenders: &[Contender], rounds: usize) -> Vec<Entry> {
    let able = contenders.iter().filter_map(|contender| {
        let status = contender.status.as_ref()?;
        let database = empty(cluster);
        process::run(contender, &contender.apply, &database.url(), cluster);
        Some((contender, status, database, Vec::new()))
    });
    let mut able: Vec<_> = able.collect();
    for _ in 0..rounds {
        for (contender, status, database, samples) in &mut able {
            samples.push(process::run(contender, status, &database.url(), cluster));
        }
    }
    let entries = able.into_iter().map(|(contender, status, database, samples)| {
        let peak = process::peak_mb(contender, status, &database.url());
        entry(contender, &samples, Some(peak))
    });
    entries.collect()
}

/// A new database, with what creating it wrote out of the way.
fn empty(cluster: &Cluster) -> TestDb {
    let database = cluster.database();
    database.sql("CHECKPOINT");
    database
}

/// A contender that did nothing would be fast.
fn check(contender: &Contender, database: &TestDb) {
    let sql =
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^t[0-9]'";
    let there = database.value(sql);
    assert_eq!(there, contender.tables.to_string(), "tables made by {}", contender.name);
}

pub(super) fn entry(contender: &Contender, samples: &[Sample], peak_mb: Option<f64>) -> Entry {
    let all = |read: fn(&Sample) -> f64| samples.iter().map(read).collect::<Vec<_>>();
    Entry {
        name: contender.name.clone(),
        role: contender.role,
        elapsed_ms: median(all(|sample| sample.elapsed_ms)),
        fastest_ms: all(|sample| sample.elapsed_ms).into_iter().fold(f64::INFINITY, f64::min),
        server_cpu_ms: median(all(|sample| sample.server_cpu_ms)),
        peak_mb,
    }
}
