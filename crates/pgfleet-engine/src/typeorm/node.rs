//! Node, started with `capture.cjs`.
//!
//! Invariant: the process is gone when [`Node::run`] returns, whatever the migration does.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::folder::Migration;
use pgfleet_core::place::Place;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::refusal;
use super::request::{Request, Workplace};

const SCRIPT: &str = include_str!("capture.cjs");

/// On a structure without rows a migration takes seconds; the rest is loading the team's code.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Node as it is installed, in a project that has TypeORM.
pub(super) struct Node {
    package: PathBuf,
    variables: Vec<(String, String)>,
    workplace_folder: PathBuf,
}

/// What a migration sent.
#[derive(Deserialize)]
pub(super) struct Captured {
    /// TypeORM's version.
    pub(super) typeorm: String,
    /// In order, without transaction control.
    pub(super) statements: Vec<Sent>,
    /// The migration ends TypeORM's transaction itself.
    pub(super) commits: bool,
}

/// One statement.
#[derive(Deserialize)]
pub(super) struct Sent {
    pub(super) sql: String,
    /// Texts of the parameters as the driver sends them; none is NULL.
    pub(super) parameters: Vec<Option<String>>,
    pub(super) place: Option<Frame>,
}

/// A line of the team's code.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Frame {
    pub(super) file: PathBuf,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Why nothing was captured.
#[derive(Deserialize)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) message: String,
    pub(super) place: Option<Frame>,
}

/// What `capture.cjs` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureKind {
    /// Nothing that loads TypeScript is installed.
    Loader,
    /// The file does not export the class.
    Class,
    /// The code looks at what a statement returned.
    Rows,
    /// A statement failed, and the code went on.
    Caught,
    /// The code rolls back.
    Rollback,
    /// The code connects to another database.
    Connection,
    /// The code, or a statement of it, failed.
    Threw,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Failed { failure: Failure },
    Done(Captured),
}

impl Node {
    /// # Errors
    /// When Node, TypeORM or its driver is missing; `place` is the code that needs them.
    pub(super) async fn find(workplace: &Workplace, place: &Place) -> Result<Self, Box<Problem>> {
        let node = Self {
            package: workplace.package.clone(),
            variables: workplace.variables.clone().into_iter().collect(),
            workplace_folder: workplace.folder.clone(),
        };
        let version = node.command().arg("--version").output().await;
        if let Err(error) = version {
            return Err(Box::new(refusal::node_missing(place.clone(), &error)));
        }
        let missing: Vec<_> = ["typeorm", "pg"].into_iter().filter(|p| !node.has(p)).collect();
        if missing.is_empty() {
            return Ok(node);
        }
        Err(Box::new(refusal::packages_missing(place.clone(), &missing, &node.package)))
    }

    /// Node looks for packages upwards from the file that asks.
    fn has(&self, package: &str) -> bool {
        let description = |dir: &std::path::Path| {
            dir.join("node_modules").join(package).join("package.json").is_file()
        };
        self.workplace_folder.ancestors().any(description)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("node");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.iter().cloned()).current_dir(&self.package);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Runs one migration.
    ///
    /// # Errors
    /// Why its SQL could not be captured.
    pub(super) async fn run(
        &self,
        request: &Request,
        migration: &Migration,
        place: &Place,
        workplace: &Workplace,
    ) -> Result<Captured, Box<Problem>> {
        let talk = timeout(TIMEOUT, self.talk(request)).await;
        let Ok(output) = talk else {
            return Err(Box::new(refusal::too_long(migration, place.clone(), TIMEOUT)));
        };
        let output = output.map_err(|e| Box::new(refusal::node_missing(place.clone(), &e)))?;
        match answer(&output.stdout, &request.token) {
            Some(Answer::Done(captured)) => Ok(captured),
            Some(Answer::Failed { failure }) => {
                let place = failure.place.as_ref().map_or(place.clone(), |f| workplace.place(f));
                Err(Box::new(refusal::failed(migration, place, &failure)))
            }
            None => Err(Box::new(refusal::no_answer(migration, place.clone(), &output.stderr))),
        }
    }

    /// The request holds a password, so it goes by standard input.
    async fn talk(&self, request: &Request) -> std::io::Result<std::process::Output> {
        let mut command = self.command();
        if self.has("tsx") {
            // For modules of both kinds it works only as a flag.
            command.args(["--import", "tsx"]);
        }
        command.args(["--input-type=commonjs", "--eval", SCRIPT]).stdin(Stdio::piped());
        let mut child = command.spawn()?;
        let asked = serde_json::to_vec(request)?;
        if let Some(mut input) = child.stdin.take() {
            // Node that ends early says why on its standard error.
            let _ = input.write_all(&asked).await;
        }
        child.wait_with_output().await
    }
}

/// What stands behind the token.
fn answer(stdout: &[u8], token: &str) -> Option<Answer> {
    let text = String::from_utf8_lossy(stdout);
    let (_, told) = text.rsplit_once(token)?;
    serde_json::from_str(told).ok()
}
