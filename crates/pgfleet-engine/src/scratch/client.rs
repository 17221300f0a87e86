//! PostgreSQL's own client programs: pg_dump and psql.

use std::path::PathBuf;
use std::process::Stdio;

use pgfleet_core::diagnose::{Code, Problem};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::conduct::Target;
use crate::connect::{ConnectSpec, Host, RootCertificates};
use crate::server::Installation;

/// What pg_dump says about a target. Owners and grants are left out, because a scratch server has
/// other roles.
pub(super) async fn dump(target: &Target, arguments: &[String]) -> Result<Vec<u8>, Box<Problem>> {
    let mut command = command("pg_dump", &target.spec);
    command.args(["--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"]);
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().await.map_err(|error| Box::new(not_there("pg_dump", &error)))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Box::new(failed("pg_dump", &output.stderr)))
    }
}

/// Runs a dump in a database.
pub(super) async fn restore(target: &Target, sql: Vec<u8>) -> Result<(), Box<Problem>> {
    let mut command = command("psql", &target.spec);
    command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let unable = |error: std::io::Error| Box::new(not_there("psql", &error));
    let mut child = command.spawn().map_err(unable)?;
    let input = child.stdin.take();
    let write = async move {
        if let Some(mut input) = input {
            // psql that ends early says why on its standard error.
            let _ = input.write_all(&sql).await;
        }
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), write);
    let output = output.map_err(unable)?;
    if output.status.success() { Ok(()) } else { Err(Box::new(failed("psql", &output.stderr))) }
}

/// The program with libpq's variables, so that no password is seen in a list of processes.
fn command(program: &str, spec: &ConnectSpec) -> Command {
    let beside_server = Installation::find().ok().and_then(|found| found.program(program));
    let mut command = Command::new(beside_server.unwrap_or_else(|| PathBuf::from(program)));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.envs(libpq_variables(spec)).kill_on_drop(true);
    command
}

fn libpq_variables(spec: &ConnectSpec) -> Vec<(&'static str, String)> {
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
    variables
}

fn not_there(program: &str, error: &std::io::Error) -> Problem {
    Problem::error(Code::ServerBinariesMissing, format!("{program} cannot be run"))
        .because(error.to_string())
        .fix_with("Install PostgreSQL's client programs.", "apt-get install postgresql-client")
}

fn failed(program: &str, stderr: &[u8]) -> Problem {
    let text = String::from_utf8_lossy(stderr);
    let mut problem =
        Problem::error(Code::StatementFailed, format!("{program} failed while copying the target"));
    for line in text.lines().filter(|line| !line.trim().is_empty()).take(5) {
        problem = problem.detail(line.trim().to_owned());
    }
    problem.fix(
        "The scratch server must be of the target's version or newer, and have its extensions.",
    )
}
