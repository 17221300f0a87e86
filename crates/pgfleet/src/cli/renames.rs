//! The flags of commands that rename rather than drop and create.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::schema::rename::{Proposal, RenameOrigin, RenameRequest, RenameStep};
use pgfleet_engine::compare::{RenameWishes, Side, annotated_renames};
use serde::Serialize;

/// Says whether a proposal is taken.
type Consent = Box<dyn Fn(&Proposal) -> bool>;

use super::context::Context;
use crate::render;

/// What shall be renamed.
#[derive(Debug, Default, Args)]
pub struct RenameFlags {
    /// Rename instead of dropping and creating; OLD as it is called now, NEW as it shall be called
    #[arg(long, value_name = "[KIND:]OLD=NEW")]
    rename: Vec<String>,
    /// Ask about what looks like a rename; with --yes, take it for one
    #[arg(long)]
    detect_renames: bool,
}

/// Flags and comments, understood.
pub struct Wishes {
    requests: Vec<RenameRequest>,
    consent: Option<Consent>,
    detects: bool,
}

impl RenameFlags {
    /// True when nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.rename.is_empty() && !self.detect_renames
    }

    /// The flags, with the comments of the desired schema.
    pub fn wishes(&self, context: &Context, to: &Side) -> Result<Wishes, Problem> {
        let flags: Result<Vec<_>, _> = self.rename.iter().map(|text| request(text)).collect();
        let mut requests = flags?;
        requests.extend(annotated_renames(to).map_err(|problem| *problem)?);
        let can_ask = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let consent: Option<Consent> = match (self.detect_renames, context.global.yes, can_ask) {
            (true, true, _) => Some(Box::new(|_| true)),
            (true, false, true) => Some(Box::new(ask)),
            _ => None,
        };
        Ok(Wishes { requests, consent, detects: self.detect_renames })
    }
}

impl Wishes {
    /// As the engine takes them.
    pub fn wishes(&self) -> RenameWishes<'_> {
        let consent = self.consent.as_deref();
        RenameWishes { requests: self.requests.clone(), consent }
    }

    /// A migration is not written while it is open whether something is renamed or dropped.
    pub fn refuse_unanswered(&self, proposals: &[Proposal]) -> Result<(), Problem> {
        if !self.detects || self.consent.is_some() || proposals.is_empty() {
            return Ok(());
        }
        let what = "some changes look like renames, and nobody can be asked";
        let problem = Problem::error(Code::RenameUnanswered, what);
        let problem = proposals.iter().fold(problem, |problem, one| {
            problem.detail(format!("--rename {}   ({})", one.rename, one.why))
        });
        Err(problem
            .fix("Give those of these flags that are right, and leave --detect-renames out.")
            .fix("Or take all of them for renames: --detect-renames --yes"))
    }
}

fn request(text: &str) -> Result<RenameRequest, Problem> {
    text.parse().map_err(|error| {
        Problem::error(Code::RenameInvalid, format!("--rename {text} is no rename"))
            .because(format!("{error}"))
            .fix_with(
                "Write it as OLD=NEW, with the kind before it where that helps.",
                "pgfleet diff target schema.sql --rename column:app.customers.mail=email",
            )
    })
}

/// Asks on a terminal; only a clear yes is one.
fn ask(proposal: &Proposal) -> bool {
    let Proposal { what, to, why, .. } = proposal;
    let question = format!("Was {what} renamed to {to}? ({why}) [y/N] ");
    let mut error = std::io::stderr();
    let question = render::clean(&question).replace('\n', " ");
    let shown = error.write_all(question.as_bytes()).and_then(|()| error.flush());
    let mut answer = String::new();
    let read = shown.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    read.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

/// A rename as scripts see it.
#[derive(Debug, Serialize)]
pub struct RenameEntry {
    what: String,
    to: String,
    by: RenameOrigin,
    sql: String,
}

/// Every rename of a difference, in order.
pub fn rename_entries(steps: &[RenameStep]) -> Vec<RenameEntry> {
    let entry = |step: &RenameStep| RenameEntry {
        what: step.thing.to_string(),
        to: step.result().to_string(),
        by: step.origin,
        sql: step.statement().sql,
    };
    steps.iter().map(entry).collect()
}
