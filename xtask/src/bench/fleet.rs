//! Many databases: pgfleet on a group, against what a user would do: loops of other tools and xargs.

use std::path::{Path, PathBuf};

use pgfleet_testkit::{
    Cluster, Project, TestDb, client_command,
    migrations::{Change, Format, one_table_each},
    peers::{cargo, npm},
    proxy::Proxy,
};

use super::{
    DELAY, Options,
    contender::{Contender, Role},
    contest::{Entry, entry},
    process::{self, Sample},
    results::Results,
};

/// Databases that migrations are brought to.
const DATABASES: usize = 100;
/// Databases with nothing to do, for everybody and for the fastest.
const IDLE_DATABASES: usize = 500;
const MANY_IDLE_DATABASES: usize = 1000;
/// Migrations for each.
const MIGRATIONS: usize = 20;

/// Measures fleets.
pub(super) fn measure(options: &Options, pgfleet: &Path, results: &mut Results) {
    let changes = one_table_each(MIGRATIONS);
    let title = format!("fleet: {MIGRATIONS} migrations on {DATABASES} databases");
    if options.wants(&title) {
        let cluster = cluster();
        let stage = Stage { cluster: &cluster, proxy: None, count: DATABASES };
        results.contest(&title, stage.apply(&all(pgfleet, &changes, DATABASES), options.rounds));
    }
    let title = format!("{title}, through 10 ms each way");
    if options.wants(&title) {
        let cluster = cluster();
        let proxy = Proxy::before(&cluster, DELAY);
        let stage = Stage { cluster: &cluster, proxy: Some(&proxy), count: DATABASES };
        let contenders = all(pgfleet, &changes, DATABASES);
        results.contest(&title, stage.apply(&contenders, options.slow_rounds));
    }
    let title = format!("fleet: nothing to do on {IDLE_DATABASES} databases");
    if options.wants(&title) {
        let contenders = all(pgfleet, &changes, IDLE_DATABASES);
        results.contest(
            &title,
            nothing(pgfleet, &contenders, &changes, IDLE_DATABASES, options.rounds),
        );
    }
    let title = format!("fleet: nothing to do on {MANY_IDLE_DATABASES} databases");
    if options.wants(&title) {
        let mut contenders = all(pgfleet, &changes, MANY_IDLE_DATABASES);
        contenders.retain(|one| one.role == Role::Ours || one.name.starts_with("sqlx-cli"));
        let entries =
            nothing(pgfleet, &contenders, &changes, MANY_IDLE_DATABASES, options.slow_rounds);
        results.contest(&title, entries);
    }
}

/// Each contender finds its own work done: on one database by itself, which the others are copies of.
/// Each has a server of its own, because dropping as many databases takes longer than a new server.
fn nothing(
    pgfleet: &Path,
    contenders: &[Contender],
    changes: &[Change],
    count: usize,
    rounds: usize,
) -> Vec<Entry> {
    let able = contenders.iter().filter(|contender| contender.role != Role::Floor);
    let measured = able.map(|contender| {
        // What is measured reads; only the preparation waits for the disk.
        let cluster =
            Cluster::fresh().setting("max_connections", 100).setting("fsync", "off").start();
        let main = TestDb::on(&cluster);
        main.sql(&format!("CREATE DATABASE {}", name(1)));
        let first = all(pgfleet, changes, 1);
        let first = first.iter().find(|one| one.name == contender.name).expect("the same tools");
        process::run(first, &first.apply, &main.url(), &cluster);
        for number in 2..=count {
            main.sql(&format!("CREATE DATABASE {} TEMPLATE {}", name(number), name(1)));
        }
        main.sql("CHECKPOINT");
        let again = || {
            let sample = process::run(contender, &contender.apply, &main.url(), &cluster);
            eprintln!("{:<40} {:>9.0} ms", contender.name, sample.elapsed_ms);
            sample
        };
        again();
        let samples: Vec<_> = (0..rounds).map(|_| again()).collect();
        let peak = process::peak_mb(contender, &contender.apply, &main.url());
        entry(contender, &samples, Some(peak))
    });
    measured.collect()
}

fn cluster() -> Cluster {
    Cluster::fresh().setting("max_connections", 100).start()
}

/// A server with many databases.
struct Stage<'a> {
    cluster: &'a Cluster,
    proxy: Option<&'a Proxy>,
    count: usize,
}

impl Stage<'_> {
    fn url(&self, database: &TestDb) -> String {
        match self.proxy {
            Some(proxy) => proxy.through(&database.url()),
            None => database.url(),
        }
    }

    /// Drops what the last contender left, and makes empty databases.
    fn renew(&self, main: &TestDb) {
        for number in 1..=self.count {
            let name = name(number);
            main.sql(&format!("DROP DATABASE IF EXISTS {name}"));
            main.sql(&format!("CREATE DATABASE {name}"));
        }
        main.sql("CHECKPOINT");
    }

    fn apply(&self, contenders: &[Contender], rounds: usize) -> Vec<Entry> {
        let main = TestDb::on(self.cluster);
        let mut samples: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
        for round in 1..=rounds {
            for (contender, samples) in contenders.iter().zip(&mut samples) {
                self.renew(&main);
                let url = self.url(&main);
                let sample = process::run(contender, &contender.apply, &url, self.cluster);
                eprintln!("round {round}: {:<40} {:>9.0} ms", contender.name, sample.elapsed_ms);
                samples.push(sample);
            }
        }
        let entries = contenders.iter().zip(samples);
        entries.map(|(contender, samples)| entry(contender, &samples, None)).collect()
    }
}

fn name(number: usize) -> String {
    format!("fleet_{number}")
}

/// pgfleet, loops of peers, and psql by xargs, which keeps no history.
fn all(pgfleet: &Path, changes: &[Change], count: usize) -> Vec<Contender> {
    let each = |command: &str| {
        format!(
            "base=${{DATABASE_URL%/*}}; for n in $(seq {count}); do {command} >/dev/null || exit 1; done"
        )
    };
    let xargs = |psql: &str| {
        format!(
            "base=${{DATABASE_URL%/*}}; seq {count} | xargs -P4 -IN {psql} -X -q -1 \
             -v ON_ERROR_STOP=1 -f all.sql -d \"$base/fleet_N\" >/dev/null"
        )
    };
    // What Debian has on the PATH is a script that finds the server's psql, and takes longer than it.
    let (typed, itself) = (xargs("psql"), client_command("psql"));
    let itself = xargs(&itself.get_program().to_string_lossy());
    let sqlx = cargo::install().join("sqlx").display().to_string();
    let dbmate = npm::dbmate_program().display().to_string();
    let sqlx_loop = each(&format!("{sqlx} migrate run -D \"$base/fleet_$n\""));
    let sqlx_xargs = format!(
        "base=${{DATABASE_URL%/*}}; seq {count} | xargs -P4 -IN {sqlx} migrate run \
         -D \"$base/fleet_N\" >/dev/null"
    );
    let dbmate_loop =
        each(&format!("{dbmate} --no-dump-schema -u \"$base/fleet_$n?sslmode=disable\" up"));
    let sql: String = changes.iter().map(|change| change.up.as_str()).collect();
    let psql = || Project::with([("all.sql", sql.as_str())]);
    vec![
        ours(pgfleet, changes),
        shell("sqlx-cli, a loop", Role::Peer, sqlx_loop, Project::of(Format::Sqlx, changes)),
        shell("sqlx-cli by xargs -P4", Role::Peer, sqlx_xargs, Project::of(Format::Sqlx, changes)),
        shell("dbmate, a loop", Role::Peer, dbmate_loop, Project::of(Format::Dbmate, changes)),
        shell("psql -1 by xargs -P4", Role::Floor, typed, psql()),
        shell("the same, psql's own program", Role::Floor, itself, psql()),
    ]
}

fn ours(pgfleet: &Path, changes: &[Change]) -> Contender {
    let project = Project::of(Format::Plain, changes);
    project.write(
        "pgfleet.toml",
        "[groups.fleet]\nserver = \"env:DATABASE_URL\"\ndatabases = \"fleet_*\"\ndir = \"migrations\"\n",
    );
    let apply = ["apply", "--group", "fleet", "--quiet"].map(str::to_owned).to_vec();
    Contender::once("pgfleet, a group", Role::Ours, pgfleet.to_owned(), apply, project, MIGRATIONS)
}

fn shell(name: &str, role: Role, script: String, project: Project) -> Contender {
    Contender::once(
        name,
        role,
        PathBuf::from("sh"),
        vec!["-c".to_owned(), script],
        project,
        MIGRATIONS,
    )
}
