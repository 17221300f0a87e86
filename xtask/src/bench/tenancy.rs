//! A tenant column that is derived from another table: what `tenantize` writes, and its batches alone,
//! against one plain UPDATE of the same rows and against what a team would write by hand.
//!
//! Invariant: each way begins on a copy of the same rows, and beside each of them a client writes
//! one row after the other, whose longest wait is the figure that users feel.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use pgfleet_testkit::{Cluster, ProgramOutput, Project, TestDb, client_command};

use super::{Options, results::Results};

const TENANCY_TOML: &str = r#"
[migrations]
dir = "migrations"
[tenancy]
column = "organisation_id"
type = "integer"
[[tenancy.table]]
name = "messages"
via = ["conversation_id"]
"#;

const ADD: &str = "ALTER TABLE messages ADD COLUMN organisation_id integer;\n";
const UPDATE: &str = "UPDATE messages m SET organisation_id = c.organisation_id \
    FROM conversations c WHERE c.id = m.conversation_id AND m.organisation_id IS NULL;\n";
const REST: &str = "ALTER TABLE messages ALTER COLUMN organisation_id SET NOT NULL;\n\
    CREATE INDEX ON messages (organisation_id);\n";
/// Between two writes of the client beside.
const PAUSE: Duration = Duration::from_millis(2);

/// How the column gets its values.
enum Way<'a> {
    /// Files for `pgfleet apply`; none for what `tenantize` writes.
    Pgfleet(&'a Path, Option<String>),
    /// SQL that psql runs, in one transaction or statement by statement.
    Psql { sql: String, single: bool },
}

/// What a way took.
pub(super) struct Figures {
    pub(super) name: &'static str,
    pub(super) total_ms: f64,
    pub(super) longest_write_ms: f64,
    pub(super) writes: usize,
    pub(super) grown_mb: f64,
}

/// Measures each way once: on ten million rows that is long enough to be read.
pub(super) fn measure(options: &Options, pgfleet: &Path, results: &mut Results) {
    let title = format!("tenant column on {} rows", options.rows);
    if !options.wants(&title) {
        return;
    }
    let cluster = super::cluster_for_many_rows();
    let batches = format!("{ADD}-- pgfleet: batches\n{UPDATE}");
    let ways = [
        ("one plain UPDATE", true, Way::Psql { sql: UPDATE.to_owned(), single: false }),
        ("pgfleet, the same UPDATE in batches", false, Way::Pgfleet(pgfleet, Some(batches))),
        ("pgfleet, all that tenantize writes", false, Way::Pgfleet(pgfleet, None)),
        (
            "ALTER TABLE, UPDATE, SET NOT NULL, CREATE INDEX by psql -1",
            false,
            Way::Psql { sql: format!("{ADD}{UPDATE}{REST}"), single: true },
        ),
    ];
    let rows = table(&cluster, options.rows);
    let figures: Vec<_> = ways
        .iter()
        .map(|(name, has_column, way)| {
            // Each is dropped behind its way, so that the disk holds no more than two of them.
            let db = TestDb::copy_of(&rows);
            if *has_column {
                db.sql(ADD);
            }
            let figures = run(name, &db, way);
            eprintln!("{name:<60} {:>9.0} ms", figures.total_ms);
            figures
        })
        .collect();
    results.tenancy(&title, &figures);
}

/// Messages of conversations, which know their organisation.
fn table(cluster: &Cluster, rows: u64) -> TestDb {
    let db = TestDb::on(cluster);
    db.sql(&format!(
        "CREATE TABLE conversations (id integer PRIMARY KEY, organisation_id integer NOT NULL); \
         INSERT INTO conversations SELECT g, 1 + g % 50 FROM generate_series(1, {conversations}) g; \
         CREATE TABLE messages (id bigint, conversation_id integer NOT NULL, sender_id integer NOT NULL, body text NOT NULL); \
         INSERT INTO messages SELECT g, 1 + g % {conversations}, g % 997, 'message number ' || g \
           FROM generate_series(1, {rows}) g; \
         ALTER TABLE messages ADD PRIMARY KEY (id), ADD FOREIGN KEY (conversation_id) REFERENCES conversations;",
        conversations = (rows / 100).max(1)
    ));
    db.sql("VACUUM (ANALYZE) conversations, messages");
    db
}

fn run(name: &'static str, db: &TestDb, way: &Way<'_>) -> Figures {
    let size =
        || db.value("SELECT pg_total_relation_size('messages')").parse::<f64>().unwrap_or(0.0);
    let before = size();
    let mut work = command(db, way);
    let stop = AtomicBool::new(false);
    let (total_ms, waits) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_beside(db, &stop));
        std::thread::sleep(Duration::from_millis(200));
        let begun = Instant::now();
        ProgramOutput::of(&mut work.command).assert_success();
        let total_ms = begun.elapsed().as_secs_f64() * 1000.0;
        stop.store(true, Ordering::Relaxed);
        (total_ms, writer.join().expect("the client beside"))
    });
    let wrong = db.value(
        "SELECT count(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id \
         WHERE m.organisation_id IS DISTINCT FROM c.organisation_id",
    );
    assert_eq!(wrong, "0", "{name}: rows without their organisation");
    Figures {
        name,
        total_ms,
        longest_write_ms: waits.iter().copied().fold(0.0, f64::max),
        writes: waits.len(),
        grown_mb: (size() - before) / f64::from(1 << 20),
    }
}

/// A program, with the folder that it runs in.
struct Work {
    command: Command,
    _project: Project,
}

fn command(db: &TestDb, way: &Way<'_>) -> Work {
    let project = Project::new();
    let command = match way {
        Way::Psql { sql, single } => {
            let mut psql = client_command("psql");
            psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql]).arg(db.url());
            psql.args(single.then_some("-1"));
            psql
        }
        Way::Pgfleet(program, sql) => {
            project.write("pgfleet.toml", TENANCY_TOML);
            match sql {
                Some(sql) => {
                    project.write("migrations/1_tenant.sql", sql);
                }
                None => {
                    // A folder without a migration has no format; the tables are there already.
                    project.write("migrations/1_tables.sql", "SELECT 1;\n");
                    for word in ["apply", "tenantize"] {
                        let mut before = pgfleet_on(program, db, &project, word);
                        ProgramOutput::of(&mut before).assert_success();
                    }
                }
            }
            pgfleet_on(program, db, &project, "apply")
        }
    };
    Work { command, _project: project }
}

fn pgfleet_on(program: &Path, db: &TestDb, project: &Project, word: &str) -> Command {
    let mut command = Command::new(program);
    command.args([word, "--quiet", "--url", &db.url(), "--format", "plain"]);
    command.current_dir(project.path());
    command
}

/// Writes one row after the other until it is told to stop; how long each write took, in milliseconds.
fn write_beside(db: &TestDb, stop: &AtomicBool) -> Vec<f64> {
    let mut psql = client_command("psql");
    psql.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1"]).arg(db.url());
    let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("psql");
    let (mut input, output) =
        (psql.stdin.take().expect("its input"), psql.stdout.take().expect("its output"));
    let mut lines = BufReader::new(output).lines();
    let mut waits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let id = 1 + waits.len() * 7_919 % 10_000;
        let begun = Instant::now();
        writeln!(
            input,
            "UPDATE messages SET sender_id = sender_id + 1 WHERE id = {id};\n\\echo done"
        )
        .expect("a write");
        let answer = lines.next().expect("an answer").expect("text");
        assert_eq!(answer, "done");
        waits.push(begun.elapsed().as_secs_f64() * 1000.0);
        std::thread::sleep(PAUSE);
    }
    drop(input);
    assert!(psql.wait().expect("psql").success(), "a write failed");
    waits
}
