//! Who takes part: pgfleet on the folders of each peer, the peers, and psql as the floor.

use std::path::{Path, PathBuf};

use pgfleet_testkit::{
    ProgramOutput, Project, client_command,
    migrations::{Change, Format, one_table_each},
    peers::{cargo, npm},
};

/// What a contender is measured as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// pgfleet.
    Ours,
    /// pgfleet doing more, or less, than what is compared.
    Also,
    /// A tool that does the same work.
    Peer,
    /// psql, which keeps no history.
    Floor,
}

/// One tool on one folder.
#[derive(Debug)]
pub(super) struct Contender {
    /// What tables call it.
    pub name: String,
    /// As it says itself.
    pub version: String,
    /// What it is measured as.
    pub role: Role,
    /// The program.
    pub program: PathBuf,
    /// Its arguments for applying everything; `URL` stands for the database's.
    pub apply: Vec<String>,
    /// Its arguments for listing what is applied; None when it has no such command.
    pub status: Option<Vec<String>>,
    /// Added to the URL.
    pub url_suffix: &'static str,
    /// The folder it runs in.
    pub project: Project,
    /// Tables that are there after it.
    pub tables: usize,
    /// How it ends when it did its work.
    pub exit_code: i32,
}

/// Everybody, in the order of the tables.
pub(super) fn all(pgfleet: &Path, count: usize) -> Vec<Contender> {
    let changes = one_table_each(count);
    let formats = [
        (Format::Plain, "plain"),
        (Format::Sqlx, "sqlx"),
        (Format::Dbmate, "dbmate"),
        (Format::Refinery, "refinery"),
        (Format::Diesel, "diesel"),
    ];
    let mut all: Vec<_> =
        formats.iter().map(|(format, name)| ours(pgfleet, *format, name, &changes)).collect();
    all.extend(peers(&changes));
    all.extend(floors(&changes));
    all
}

impl Contender {
    /// One that is run once for each measurement, in its own folder.
    pub(super) fn once(
        name: &str,
        role: Role,
        program: PathBuf,
        apply: Vec<String>,
        project: Project,
        tables: usize,
    ) -> Self {
        Self {
            name: name.to_owned(),
            version: String::new(),
            role,
            program,
            apply,
            status: None,
            url_suffix: "",
            project,
            tables,
            exit_code: 0,
        }
    }

    /// The command as people type it.
    pub(super) fn command_line(&self, arguments: &[String]) -> String {
        let program = self.program.file_name().unwrap_or_default().to_string_lossy();
        format!("{program} {}", arguments.join(" "))
    }
}

fn ours(program: &Path, format: Format, name: &str, changes: &[Change]) -> Contender {
    let dir = if format == Format::Dbmate { "db/migrations" } else { "migrations" };
    let arguments =
        |command: &str| owned(&[command, "--url", "URL", "--dir", dir, "--format", name]);
    Contender {
        name: format!("pgfleet, {name}"),
        version: version(program, "--version"),
        role: Role::Ours,
        program: program.to_owned(),
        apply: arguments("apply"),
        status: Some(arguments("status")),
        url_suffix: "",
        project: Project::of(format, changes),
        tables: changes.len(),
        exit_code: 0,
    }
}

fn peers(changes: &[Change]) -> Vec<Contender> {
    let bin = cargo::install();
    let peer = |program: PathBuf, format, name: &str, apply: &[&str], status: &[&str]| Contender {
        name: name.to_owned(),
        version: version(&program, "--version"),
        role: Role::Peer,
        program,
        apply: owned(apply),
        status: (!status.is_empty()).then(|| owned(status)),
        url_suffix: if format == Format::Dbmate { "?sslmode=disable" } else { "" },
        project: Project::of(format, changes),
        tables: changes.len(),
        exit_code: 0,
    };
    let diesel = ["migration", "--migration-dir", "migrations"];
    let dbmate = npm::dbmate_program();
    vec![
        peer(dbmate, Format::Dbmate, "dbmate", &["--no-dump-schema", "up"], &["status"]),
        peer(bin.join("sqlx"), Format::Sqlx, "sqlx-cli", &["migrate", "run"], &["migrate", "info"]),
        peer(bin.join("refinery"), Format::Refinery, "refinery", &REFINERY, &[]),
        peer(
            bin.join("refinery"),
            Format::Refinery,
            "refinery -g (all in one transaction)",
            &[&REFINERY[..], &["-g"]].concat(),
            &[],
        ),
        peer(
            bin.join("diesel"),
            Format::Diesel,
            "diesel",
            &[&diesel[..], &["run"]].concat(),
            &[&diesel[..], &["list"]].concat(),
        ),
    ]
}

const REFINERY: [&str; 3] = ["migrate", "-e", "DATABASE_URL"];

/// psql on the same statements: one transaction per file, and one in all.
fn floors(changes: &[Change]) -> Vec<Contender> {
    let each = changes.iter().map(|change| format!("BEGIN;\n{}COMMIT;\n", change.up)).collect();
    let all = changes.iter().map(|change| change.up.as_str()).collect();
    let psql = |name: &str, sql: String, options: &[&str]| {
        let common = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "all.sql", "-d", "URL"];
        let program = PathBuf::from(client_command("psql").get_program());
        Contender {
            name: name.to_owned(),
            version: version(&program, "--version"),
            role: Role::Floor,
            program,
            apply: owned(&[&common[..], options].concat()),
            status: None,
            url_suffix: "",
            project: Project::with([("all.sql", sql)]),
            tables: changes.len(),
            exit_code: 0,
        }
    };
    vec![psql("psql, a transaction per file", each, &[]), psql(PSQL_ONE, all, &["-1"])]
}

/// The floor that the aim is set against.
pub(super) const PSQL_ONE: &str = "psql -1";
/// The floor for schemas.
pub(super) const PG_DUMP: &str = "pg_dump -s, one side";

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What a program says about its version, in one line.
pub(super) fn version(program: &Path, option: &str) -> String {
    let said = ProgramOutput::of(std::process::Command::new(program).arg(option)).stdout;
    let number = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
    said.split_whitespace().find(number).unwrap_or("?").to_owned()
}
