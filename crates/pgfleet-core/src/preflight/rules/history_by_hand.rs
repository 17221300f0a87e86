//! Migrations that write a tool's history table, or one of the team's own, by hand.
//!
//! Invariant: one problem per table, at its first place; further files are counted.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::{Facts, Kind, LockMode, ObjectKind, QualifiedName};

use super::super::Here;
use super::super::history_tables::{Owner, owner_of};
use super::super::world::World;
use super::{Rule, at_word};
use crate::diagnose::{Code, Problem};

#[derive(Default)]
pub(super) struct HistoryByHand {
    problems: Vec<Problem>,
    /// The position of a table's problem, and the files that touch the table.
    seen: BTreeMap<QualifiedName, (usize, BTreeSet<String>)>,
}

impl Rule for HistoryByHand {
    fn look(&mut self, _world: &World<'_>, here: Here<'_>) {
        for (name, deed) in touched(&here.statement.facts) {
            let Some(owner) = owner_of(&name) else { continue };
            let file = here.statement.place.file.clone();
            if let Some((_, files)) = self.seen.get_mut(&name) {
                files.insert(file);
                continue;
            }
            let problem = problem(&name, deed, &owner);
            self.seen.insert(name.clone(), (self.problems.len(), BTreeSet::from([file])));
            self.problems.push(at_word(problem, here.statement, &name.name));
        }
    }

    fn finish(mut self: Box<Self>) -> Vec<Problem> {
        for (at, files) in self.seen.values().filter(|(_, files)| files.len() > 1) {
            let more = files.len() - 1;
            let noun = if more == 1 { "file does" } else { "files do" };
            self.problems[*at].details.push(format!("{more} more {noun} the like"));
        }
        self.problems
    }
}

/// The tables that a statement creates, drops, alters or writes, and the word for it.
fn touched(facts: &Facts) -> Vec<(QualifiedName, &'static str)> {
    let tables = |objects: &[pgfleet_sql::ObjectRef], deed| {
        let tables = objects.iter().filter(|object| object.kind == ObjectKind::Table);
        tables.map(|object| (object.name.clone(), deed)).collect::<Vec<_>>()
    };
    let mut touched = tables(&facts.creates, "creates");
    touched.extend(tables(&facts.drops, "drops"));
    touched.extend(tables(&facts.alters, "alters"));
    if facts.kind == Kind::Write {
        let written = facts.locks.iter().filter(|lock| lock.mode >= LockMode::RowExclusive);
        touched.extend(written.filter_map(|lock| Some((lock.relation.clone()?, "writes"))));
    }
    touched
}

fn problem(name: &QualifiedName, deed: &str, owner: &Owner) -> Problem {
    match owner {
        Owner::Tool(tool) => {
            Problem::warning(Code::HistoryByHand, format!("the migration {deed} {name} by hand"))
                .because(format!("the table is the history of {tool}, which then believes what the file says instead of what was run"))
                .fix_with(
                    "Leave the table to its tool; to mark a migration as applied without running it:",
                    "pgfleet resolve --applied VERSION",
                )
        }
        Owner::Team => Problem::note(
            Code::HistoryByHand,
            format!("the migration {deed} {name}, which looks like a history of migrations kept by hand"),
        )
        .because("rows written by the files themselves are there even when the rest of the file was taken back or edited later")
        .fix("pgfleet keeps the history itself; the table is no longer needed for that."),
    }
}
