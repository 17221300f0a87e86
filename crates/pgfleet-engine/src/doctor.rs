//! `doctor`: everything that must be right before a run, each looked at by itself.

use pgfleet_core::diagnose::Problem;
use serde::Serialize;

use crate::conduct::{Target, open};
use crate::connect::{ServerFacts, check_pooler, preflight, probe};
use crate::preflight::check_folder;
use crate::project::{Folder, Project};
use crate::server::Installation;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// What was found, in a few words.
    pub found: String,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, found: found.into(), problems: Vec::new() }
    }

    fn bad(what: &'static str, problem: Problem) -> Self {
        Self { what, found: problem.what.clone(), problems: vec![problem] }
    }

    /// True when nothing about it is an error.
    pub fn ok(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }
}

/// Looks at everything, and goes on after what is wrong.
pub async fn examine(project: &Project) -> Vec<Finding> {
    let mut findings = vec![configuration(project), programs()];
    let folder = match project.open_folder() {
        Ok(folder) => {
            findings.push(migrations(project, &folder));
            Some(folder)
        }
        Err(problem) => {
            findings.push(Finding::bad("migrations", *problem));
            None
        }
    };
    match Target::of(project) {
        Ok(target) => findings.extend(server(project, &target, folder).await),
        Err(problem) => findings.push(Finding::bad("target", *problem)),
    }
    findings
}

fn configuration(project: &Project) -> Finding {
    let found = match &project.config_file {
        Some(file) => file.display().to_string(),
        None => "none; flags and environment variables only".to_owned(),
    };
    Finding::good("configuration", found)
}

fn programs() -> Finding {
    match Installation::find() {
        Ok(found) => Finding::good(
            "server programs for scratch databases",
            format!("PostgreSQL {} in {}", found.version, found.bin_dir.display()),
        ),
        Err(_) => Finding::good(
            "server programs for scratch databases",
            "none on this machine; the target's server or --scratch-url is used",
        ),
    }
}

fn migrations(project: &Project, folder: &Folder) -> Finding {
    let checked = check_folder(project, folder);
    let found =
        format!("{} in {} ({})", checked.migrations.len(), folder.tree.root, folder.set.format);
    Finding { what: "migrations", found, problems: checked.problems }
}

async fn server(project: &Project, target: &Target, folder: Option<Folder>) -> Vec<Finding> {
    let session = match target.connect().await {
        Ok(session) => session,
        Err(problem) => return vec![Finding::bad("connection", *problem)],
    };
    let mut findings = vec![Finding::good("connection", target.spec.redacted())];
    let facts = match probe(&session).await {
        Ok(facts) => facts,
        Err(error) => {
            findings.push(Finding::bad("server", *target.session_problem(&error)));
            return findings;
        }
    };
    findings.push(Finding {
        what: "server and role",
        found: describe(&facts),
        problems: preflight(&facts),
    });
    findings.push(match check_pooler(&target.spec, &session, &facts).await {
        Ok(()) => Finding::good("pooler", "none that would get in the way"),
        Err(problem) => Finding::bad("pooler", problem),
    });
    if let Some(folder) = folder {
        findings.push(history(project, target, folder).await);
    }
    findings
}

fn describe(facts: &ServerFacts) -> String {
    let (major, minor) = (facts.version_num / 10_000, facts.version_num % 10_000);
    format!(
        "PostgreSQL {major}.{minor}, role {}, search_path {}",
        facts.current_user, facts.search_path
    )
}

async fn history(project: &Project, target: &Target, folder: Folder) -> Finding {
    match open(project, target, folder).await {
        Ok(opened) => {
            let there = if opened.state.history.is_some() { "" } else { ", not made yet" };
            let rows = opened.state.rows.len();
            Finding::good("history", format!("{rows} rows in {}{there}", opened.state.table))
        }
        Err(problem) => Finding::bad("history", *problem),
    }
}
