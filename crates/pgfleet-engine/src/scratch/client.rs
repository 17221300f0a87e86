//! A target's structure, dumped by pg_dump and run by psql.

use std::process::Stdio;

use pgfleet_core::diagnose::{Code, Problem};
use tokio::io::AsyncWriteExt;

use crate::conduct::Target;
use crate::programs::{command, not_there};

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
