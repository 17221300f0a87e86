//! PostgreSQL's own client programs: pg_dump, pg_restore, pg_dumpall, psql.
//!
//! Invariant: they are told where to connect by libpq's variables, never by arguments, so that no
//! password is seen in a list of processes; and nothing goes through a shell.

use std::path::PathBuf;
use std::process::Stdio;

use pgfleet_core::diagnose::{Code, Problem};
use tokio::process::Command;

use crate::connect::{ConnectSpec, Host, RootCertificates};
use crate::server::{Installation, ServerVersion};

/// Lines of a program's complaint that are shown.
const COMPLAINT_LINES: usize = 8;

/// A program that is new enough for a server.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    name: &'static str,
    path: PathBuf,
    /// What `--version` printed.
    pub(crate) version: String,
}

impl Program {
    /// Finds a program that is at least of a server's major version, as PostgreSQL demands of
    /// pg_dump.
    ///
    /// # Errors
    /// [`Code::ServerBinariesMissing`] without one, [`Code::ClientProgramOld`] with an older one.
    pub(crate) async fn find(
        name: &'static str,
        server_version_num: u32,
    ) -> Result<Self, Box<Problem>> {
        let path = path_of(name);
        let output = Command::new(&path).arg("--version").stdin(Stdio::null()).output().await;
        let output = output.map_err(|error| Box::new(not_there(name, &error)))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let major = ServerVersion::parse(&version).map_or(0, |version| u32::from(version.major));
        if major < server_version_num / 10_000 {
            return Err(Box::new(too_old(name, &version, server_version_num / 10_000)));
        }
        Ok(Self { name, path, version })
    }

    /// The program, told where to connect.
    pub(crate) fn command(&self, spec: &ConnectSpec) -> Command {
        command_at(&self.path, spec)
    }

    /// Runs a command of this program to its end. `doing` completes "pg_dump failed …".
    ///
    /// # Errors
    /// [`Code::DumpFailed`] with what it said.
    pub(crate) async fn run(&self, mut command: Command, doing: &str) -> Result<(), Box<Problem>> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = command.output().await;
        let output = output.map_err(|error| Box::new(not_there(self.name, &error)))?;
        if output.status.success() {
            return Ok(());
        }
        let what = format!("{} failed {doing}", self.name);
        let ended = output.status.to_string();
        Err(Box::new(complaint(Problem::error(Code::DumpFailed, what), &output.stderr, &ended)))
    }
}

/// The program with libpq's variables.
pub(crate) fn command(program: &str, spec: &ConnectSpec) -> Command {
    command_at(&path_of(program), spec)
}

fn path_of(program: &str) -> PathBuf {
    let beside_server = Installation::find().ok().and_then(|found| found.program(program));
    beside_server.unwrap_or_else(|| PathBuf::from(program))
}

fn command_at(path: &PathBuf, spec: &ConnectSpec) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.envs(libpq_variables(spec)).kill_on_drop(true);
    command
}

/// Where a database is, for programs that use libpq.
pub(crate) fn libpq_variables(spec: &ConnectSpec) -> Vec<(&'static str, String)> {
    let endpoints = &spec.endpoints;
    let joined = |values: Vec<String>| values.join(",");
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(directory) => directory.display().to_string(),
    };
    let mut variables = vec![
        ("PGHOST", joined(endpoints.iter().map(|e| host(&e.host)).collect())),
        ("PGPORT", joined(endpoints.iter().map(|e| e.port.to_string()).collect())),
        ("PGUSER", spec.user.clone()),
        ("PGDATABASE", spec.database.clone()),
        ("PGSSLMODE", spec.tls.mode.as_str().to_owned()),
        ("PGAPPNAME", "pgfleet".to_owned()),
    ];
    if let Some(password) = endpoints.iter().find_map(|endpoint| endpoint.password.as_ref()) {
        variables.push(("PGPASSWORD", password.reveal().to_owned()));
    }
    match &spec.tls.root {
        Some(RootCertificates::File(file)) => {
            variables.push(("PGSSLROOTCERT", file.display().to_string()))
        }
        Some(RootCertificates::System) => variables.push(("PGSSLROOTCERT", "system".to_owned())),
        None => {}
    }
    let file = |path: &PathBuf| path.display().to_string();
    variables.extend(spec.tls.certificate.as_ref().map(|path| ("PGSSLCERT", file(path))));
    variables.extend(spec.tls.key.as_ref().map(|path| ("PGSSLKEY", file(path))));
    variables
}

pub(crate) fn not_there(program: &str, error: &std::io::Error) -> Problem {
    Problem::error(Code::ServerBinariesMissing, format!("{program} cannot be run"))
        .because(error.to_string())
        .fix_with("Install PostgreSQL's client programs.", "apt-get install postgresql-client")
}

fn too_old(program: &str, version: &str, server_major: u32) -> Problem {
    let found = if version.is_empty() { "its version is not known" } else { version };
    Problem::error(
        Code::ClientProgramOld,
        format!("{program} is older than the server, which is PostgreSQL {server_major}"),
    )
    .because(format!("found {found}; it must be of the server's major version or newer"))
    .fix_with(
        "Install the client programs of that version …",
        format!("apt-get install postgresql-client-{server_major}"),
    )
    .fix_with(
        "… or name the folder where they are.",
        format!("export PGFLEET_PG_BIN=/usr/lib/postgresql/{server_major}/bin"),
    )
}

/// Adds what a program said on its standard error, or else how it ended.
pub(crate) fn complaint(mut problem: Problem, stderr: &[u8], ended: &str) -> Problem {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    problem.cause = Some(lines.next().map_or_else(|| ended.to_owned(), str::to_owned));
    problem.details.extend(lines.take(COMPLAINT_LINES).map(str::to_owned));
    problem
}
