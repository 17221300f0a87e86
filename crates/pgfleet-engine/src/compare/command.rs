//! A schema that a command prints as SQL.
//!
//! The command runs in the project's folder, with an empty scratch database in `DATABASE_URL` and in
//! libpq's variables, so that a tool that compares with a database prints everything.

use std::process::Stdio;

use pgfleet_core::diagnose::{Code, Problem};
use tokio::process::Command;

use crate::conduct::Target;
use crate::connect::{ConnectSpec, Host};
use crate::programs::libpq_variables;
use crate::project::Project;

/// Lines of a failed command's messages that are shown.
const MESSAGE_LINES: usize = 8;

/// What a command prints; `copy` is an empty scratch database.
pub(super) async fn printed_schema(
    project: &Project,
    copy: &Target,
    command: &[String],
) -> Result<String, Box<Problem>> {
    let [program, arguments @ ..] = command else { return Err(Box::new(nothing_named())) };
    let shown = command.join(" ");
    let mut process = Command::new(program);
    process.args(arguments).current_dir(&project.root).stdin(Stdio::null()).kill_on_drop(true);
    process.envs(&project.settings.variables).envs(libpq_variables(&copy.spec));
    process.env("DATABASE_URL", url(&copy.spec)).env("NO_COLOR", "1").env("FORCE_COLOR", "0");
    let output = process.output().await.map_err(|error| {
        Box::new(
            failed(&shown).because(error.to_string()).fix("Check the command's name and place."),
        )
    })?;
    if !output.status.success() {
        let mut problem = failed(&shown).because(output.status.to_string());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        for line in lines.take(MESSAGE_LINES) {
            problem = problem.detail(line.trim_end().to_owned());
        }
        return Err(Box::new(
            problem.fix("Run it by hand, and mend it; it must print SQL and exit with 0."),
        ));
    }
    let text = pgfleet_sql::decode(&output.stdout);
    let text = text.map_err(|error| Box::new(failed(&shown).because(error.to_string())))?;
    Ok(text.text)
}

fn failed(command: &str) -> Problem {
    Problem::error(Code::SchemaCommandFailed, format!("`{command}` did not print a schema"))
}

fn nothing_named() -> Problem {
    Problem::error(Code::ConfigMissing, "no command prints the desired schema").fix(
        "Name it: command = [\"npx\", \"typeorm\", \"schema:log\"] under [schema] in pgfleet.toml.",
    )
}

/// A connection URL; what a URL gives a meaning to is written as `%XX`.
fn url(spec: &ConnectSpec) -> String {
    let mut url = format!("postgresql://{}", encoded(&spec.user));
    let endpoint = spec.endpoints.first();
    if let Some(password) = endpoint.and_then(|endpoint| endpoint.password.as_ref()) {
        url.push_str(&format!(":{}", encoded(password.reveal())));
    }
    let (host, port) = endpoint.map_or((String::new(), 5432), |endpoint| {
        let host = match &endpoint.host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
            Host::Tcp(name) => name.clone(),
            Host::Unix(directory) => encoded(&directory.display().to_string()),
        };
        (host, endpoint.port)
    });
    url.push_str(&format!("@{host}:{port}/{}", encoded(&spec.database)));
    url
}

fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let byte = |byte: u8| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
