//! Two schemas read, compared and written as DDL: pgfleet, other tools, and pg_dump of one side as
//! the floor; and what pgfleet needs as schemas grow.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use pgfleet_testkit::{Cluster, ProgramOutput, Project, TestDb, client_command, peers::schema};

use super::{
    Options,
    contender::{Contender, PG_DUMP, Role, version},
    contest::{Entry, entry},
    process,
    results::{Results, Size},
};

/// Tables of the contest.
const TABLES: usize = 2000;
/// Tables where memory is looked at.
const MANY: usize = 10_000;
/// Tables of the line.
const SIZES: [usize; 5] = [500, 1000, 2000, 4000, 8000];

/// Twenty differences, of the kinds that changes have.
const CHANGES: &str = "
ALTER TABLE app.t10 ADD n1 text; ALTER TABLE app.t20 ADD n1 int DEFAULT 5;
ALTER TABLE app.t30 ADD n1 uuid; ALTER TABLE app.t40 ADD n1 date;
ALTER TABLE app.t50 DROP note; ALTER TABLE app.t60 DROP meta; ALTER TABLE app.t70 DROP email;
ALTER TABLE app.t80 ALTER email TYPE text; ALTER TABLE app.t90 ALTER amount TYPE numeric(14,4);
ALTER TABLE app.t100 ALTER note TYPE varchar(99);
DROP INDEX app.t110_name; DROP INDEX app.t120_parent; DROP INDEX app.t130_name;
CREATE INDEX t140_email ON app.t140 (email); CREATE INDEX t150_lower ON app.t150 (lower(name));
CREATE UNIQUE INDEX t160_email ON app.t160 (email) WHERE flag;
ALTER TABLE app.t170 DROP CONSTRAINT t170_parent_id_fkey;
ALTER TABLE app.t180 ALTER email SET NOT NULL; ALTER TABLE app.t190 ALTER flag SET DEFAULT true;
CREATE TABLE app.added (id int PRIMARY KEY, v text);";

/// Measures schemas.
pub(super) fn measure(options: &Options, pgfleet: &Path, results: &mut Results) {
    let title = format!("schema: diff of {TABLES} tables with 20 differences");
    if options.wants(&title) {
        let pair = Pair::of(TABLES);
        let contenders = all(pgfleet, &pair);
        results.contest(&title, contest(&pair, &contenders, options.rounds));
        let others = contenders.iter().filter(|one| matches!(one.role, Role::Peer | Role::Floor));
        results.tools(others.map(|one| (one.version.as_str(), pair.command_of(one))));
    }
    if options.wants("schema: 10,000 tables") {
        let pair = Pair::of(MANY);
        let contenders = [ours(pgfleet, &pair), proving(pgfleet, &pair), dump()];
        results.contest("schema: 10,000 tables", contest(&pair, &contenders, options.rounds));
    }
    if options.wants("schema: as schemas grow") {
        let sizes: Vec<_> = SIZES.iter().map(|count| size(pgfleet, *count, options)).collect();
        results.growth(&sizes);
    }
}

/// Two databases of one server.
struct Pair {
    cluster: Cluster,
    old: TestDb,
    new: TestDb,
}

impl Pair {
    fn of(tables: usize) -> Self {
        // A transaction that makes or dumps many tables holds a lock on each.
        let cluster = Cluster::fresh().setting("max_locks_per_transaction", 2000).start();
        let (old, new) = (cluster.database(), cluster.database());
        for database in [&old, &new] {
            // In pieces, as one text of 10,000 tables is parsed whole before it runs.
            (1..=tables).step_by(500).for_each(|first| {
                database.sql(&schema_of(first, tables.min(first + 499)));
            });
        }
        new.sql(CHANGES);
        for database in [&old, &new] {
            database.sql("VACUUM ANALYZE");
        }
        old.sql("CHECKPOINT");
        Self { cluster, old, new }
    }

    /// As a person would type it.
    fn command_of(&self, contender: &Contender) -> String {
        let mut command = contender.command_line(&contender.apply);
        for (database, name) in [(&self.old, "OLD"), (&self.new, "NEW")] {
            let url = database.url();
            command = command.replace(&url.replacen("postgres://", "postgresql://", 1), name);
            command = command.replace(&url, name);
        }
        let script = schema::pg_delta().display().to_string();
        command.replace(&format!("node {script}"), "pg-delta").replace("URL", "OLD")
    }
}

/// Tables of ten columns, with two indexes and a foreign key each.
fn schema_of(first: usize, last: usize) -> String {
    let mut sql = String::from("CREATE SCHEMA IF NOT EXISTS app;\n");
    for number in first..=last {
        let parent = number.saturating_sub(1).max(1);
        // Writing to a String cannot fail.
        let _ = write!(
            sql,
            "CREATE TABLE app.t{number} (id bigint PRIMARY KEY,
            parent_id bigint REFERENCES app.t{parent} (id), name text NOT NULL, email varchar(200),
            amount numeric(12,2) DEFAULT 0, flag boolean NOT NULL DEFAULT false, meta jsonb,
            created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz, note text);
            CREATE INDEX t{number}_name ON app.t{number} (name);
            CREATE INDEX t{number}_parent ON app.t{number} (parent_id, created_at);\n"
        );
    }
    sql
}

fn all(pgfleet: &Path, pair: &Pair) -> Vec<Contender> {
    let (old, new) = (pair.old.url(), pair.new.url());
    let mut all = vec![ours(pgfleet, pair), proving(pgfleet, pair), inspecting(pgfleet), dump()];
    // The one spelling that its library knows.
    let [a, b] = [&old, &new].map(|url| url.replacen("postgres://", "postgresql://", 1));
    let migra = contender("migra", Role::Peer, schema::migra(), &["--unsafe", &a, &b]);
    all.push(Contender { version: schema::MIGRA.to_owned(), exit_code: 2, ..migra });
    let pg_delta = schema::pg_delta().display().to_string();
    let plan = [&pg_delta, "plan", "--source", &old, "--desired", &new, "--out", "plan.json"];
    let name = "pg-delta (plan, without writing it as SQL)";
    let pg_delta = contender(name, Role::Peer, PathBuf::from("node"), &plan);
    all.push(Contender { version: schema::PG_DELTA.to_owned(), ..pg_delta });
    all.push(pgmold(pair));
    all
}

/// It reads the desired side from a file, which it wrote beforehand: it does not parse what pg_dump writes.
fn pgmold(pair: &Pair) -> Contender {
    let words = ["plan", "-s", "sql:new.sql", "-d", "URL", "--target-schemas", "app"];
    let name = "pgmold plan, one side from a file";
    let pgmold = contender(name, Role::Peer, schema::pgmold(), &words);
    let mut dump = Command::new(&pgmold.program);
    dump.args(["dump", "-d", &pair.new.url(), "--target-schemas", "app", "-o"]);
    ProgramOutput::of(dump.arg(pgmold.project.path().join("new.sql"))).assert_success();
    Contender { version: schema::PGMOLD.to_owned(), ..pgmold }
}

fn ours(program: &Path, pair: &Pair) -> Contender {
    let (old, new) = (pair.old.url(), pair.new.url());
    let words = ["diff", "--no-proof", &old, &new];
    contender("pgfleet diff --no-proof", Role::Ours, program.to_owned(), &words)
}

/// Proof: a scratch copy of the old side is made, changed, read again and compared.
fn proving(program: &Path, pair: &Pair) -> Contender {
    let (old, new) = (pair.old.url(), pair.new.url());
    let words = ["diff", "--url", &old, &old, &new];
    // Another role, as others take the fastest of ours for what pgfleet needs.
    contender("pgfleet diff, proven on a copy", Role::Also, program.to_owned(), &words)
}

fn inspecting(program: &Path) -> Contender {
    let words = ["inspect", "--url", "URL", "--out", "schema.json"];
    contender("pgfleet inspect --out, one side", Role::Also, program.to_owned(), &words)
}

fn dump() -> Contender {
    let program = PathBuf::from(client_command("pg_dump").get_program());
    contender(PG_DUMP, Role::Floor, program, &["-s", "-d", "URL", "-f", "dump.sql"])
}

fn contender(name: &str, role: Role, program: PathBuf, words: &[&str]) -> Contender {
    Contender {
        name: name.to_owned(),
        version: version(&program, "--version"),
        role,
        program,
        apply: words.iter().map(|word| (*word).to_owned()).collect(),
        status: None,
        url_suffix: "",
        project: Project::new(),
        tables: 0,
        exit_code: 0,
    }
}

fn contest(pair: &Pair, contenders: &[Contender], rounds: usize) -> Vec<Entry> {
    let mut samples: Vec<_> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            let sample = process::run(contender, &contender.apply, &pair.old.url(), &pair.cluster);
            eprintln!("round {round}: {:<40} {:>9.0} ms", contender.name, sample.elapsed_ms);
            samples.push(sample);
        }
    }
    let entries = contenders.iter().zip(samples).map(|(contender, samples)| {
        let peak = process::peak_mb(contender, &contender.apply, &pair.old.url());
        entry(contender, &samples, Some(peak))
    });
    entries.collect()
}

fn size(pgfleet: &Path, tables: usize, options: &Options) -> Size {
    let pair = Pair::of(tables);
    let entries = contest(&pair, &[ours(pgfleet, &pair), dump()], options.rounds);
    Size {
        tables,
        ours: entries[0].elapsed_ms,
        dump: entries[1].elapsed_ms,
        peak_mb: entries[0].peak_mb,
    }
}
