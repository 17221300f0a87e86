//! Statements that are not safe to run twice.
//!
//! Invariant: at most [`FILES_MAX`] notes, one per file; with more such files there is one note for
//! all, as most folders are not written to be run twice and need not be.

use pgfleet_sql::{Kind, Rerun};

use super::super::Here;
use super::super::world::World;
use super::Rule;
use crate::diagnose::{Code, Problem};
use crate::folder::Migration;
use crate::place::Place;
use crate::program::Program;

/// More files than this get one note together.
const FILES_MAX: usize = 5;
/// Statements or files that a note names.
const NAMED_MAX: usize = 3;

#[derive(Default)]
pub(super) struct RerunUnsafe {
    current: Vec<(Place, String)>,
    files: Vec<Vec<(Place, String)>>,
}

impl Rule for RerunUnsafe {
    fn look(&mut self, _world: &World<'_>, here: Here<'_>) {
        let facts = &here.statement.facts;
        if let Rerun::Unsafe(why) = &facts.rerun
            && facts.kind != Kind::Session
        {
            self.current.push((here.statement.place.clone(), format!("{}: {why}", facts.label)));
        }
    }

    fn end(&mut self, _migration: &Migration, _program: &Program) {
        let file = std::mem::take(&mut self.current);
        if !file.is_empty() {
            self.files.push(file);
        }
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        if self.files.len() <= FILES_MAX {
            return self.files.iter().map(|file| of_file(file)).collect();
        }
        vec![of_all(&self.files)]
    }
}

fn of_file(file: &[(Place, String)]) -> Problem {
    let what = match file.len() {
        1 => "1 statement is not safe to run twice".to_owned(),
        count => format!("{count} statements are not safe to run twice"),
    };
    let problem = file
        .iter()
        .take(NAMED_MAX)
        .fold(Problem::note(Code::RerunUnsafe, what), |problem, (place, why)| {
            problem.detail(format!("line {}: {why}", place.line))
        });
    let problem = match file.first() {
        Some((place, _)) => problem.at(Place::file(place.file.clone())),
        None => problem,
    };
    more(problem, file.len())
}

fn of_all(files: &[Vec<(Place, String)>]) -> Problem {
    let count: usize = files.iter().map(Vec::len).sum();
    let what = format!("{count} statements in {} files are not safe to run twice", files.len());
    let mut worst: Vec<_> = files.iter().collect();
    worst.sort_by_key(|file| std::cmp::Reverse(file.len()));
    let named = worst.iter().take(NAMED_MAX).filter_map(|file| Some((file.first()?, file.len())));
    let problem = named.fold(Problem::note(Code::RerunUnsafe, what), |problem, (first, count)| {
        problem.detail(format!("{}: {count}, the first: {}", first.0, first.1))
    });
    more(problem, files.len()).because(
        "run by hand a second time they would fail or do their work twice; pgfleet runs each migration once",
    )
}

fn more(problem: Problem, count: usize) -> Problem {
    if count > NAMED_MAX {
        problem.detail(format!("and {} more", count - NAMED_MAX))
    } else {
        problem
    }
}
