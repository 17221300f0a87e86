//! The rules, one file each.
//!
//! A rule sees every statement once, before the world has taken it, and hands over its problems
//! when the walk ends. Invariant: rules do not know of each other.

mod created_twice;
mod enum_value;
mod history_by_hand;
mod impossible;
mod missing_object;
mod rerun;
mod skipped_different;
mod syntax;
mod transaction_control;

use crate::diagnose::{Problem, Snippet};
use crate::folder::Migration;
use crate::program::{self, Program, Statement};

use super::Here;
use super::world::World;

/// One rule.
trait Rule {
    /// A migration begins.
    fn begin(&mut self, _migration: &Migration, _program: &Program) {}
    /// A statement, in the world as it is before it.
    fn look(&mut self, _world: &World<'_>, _here: Here<'_>) {}
    /// A migration ends.
    fn end(&mut self, _migration: &Migration, _program: &Program) {}
    /// The walk has ended.
    fn finish(self: Box<Self>) -> Vec<Problem>;
}

/// All rules.
pub(super) struct Rules {
    rules: Vec<Box<dyn Rule>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            rules: vec![
                Box::<syntax::Syntax>::default(),
                Box::<transaction_control::TransactionControl>::default(),
                Box::<missing_object::MissingObject>::default(),
                Box::<created_twice::CreatedTwice>::default(),
                Box::<skipped_different::SkippedDifferent>::default(),
                Box::<enum_value::EnumValue>::default(),
                Box::<history_by_hand::HistoryByHand>::default(),
                Box::<rerun::RerunUnsafe>::default(),
            ],
        }
    }
}

impl Rules {
    pub(super) fn begin(&mut self, migration: &Migration, program: &Program) {
        self.rules.iter_mut().for_each(|rule| rule.begin(migration, program));
    }

    pub(super) fn look(&mut self, world: &World<'_>, here: Here<'_>) {
        self.rules.iter_mut().for_each(|rule| rule.look(world, here));
    }

    pub(super) fn end(&mut self, migration: &Migration, program: &Program) {
        self.rules.iter_mut().for_each(|rule| rule.end(migration, program));
    }

    /// All problems, the gravest first, else in the order of rules and statements.
    pub(super) fn finish(self) -> Vec<Problem> {
        let mut problems: Vec<_> = self.rules.into_iter().flat_map(Rule::finish).collect();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        problems
    }
}

/// The problem at the statement, or at the first place in it where `word` stands, marked.
fn at_word(problem: Problem, statement: &Statement, word: &str) -> Problem {
    let lower = statement.sql.to_lowercase();
    let exact = find_word(&statement.sql, word);
    // Lower case of some letters is longer; then offsets would not fit.
    let folded = (lower.len() == statement.sql.len())
        .then(|| find_word(&lower, &word.to_lowercase()))
        .flatten();
    let offset = exact.or(folded);
    let length = if offset.is_some() { word.chars().count() } else { 1 };
    let offset = offset.unwrap_or(0);
    let place = program::place_in(&statement.sql, &statement.place, statement.verbatim, offset);
    let length = u32::try_from(length).unwrap_or(1);
    let snippet: Snippet = program::snippet_at(&statement.sql, offset, length);
    let mut problem = problem.at(place);
    problem.snippet = Some(snippet);
    problem
}

/// Where a word stands, no letters around it.
fn find_word(text: &str, word: &str) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut places = text.match_indices(word).map(|(at, _)| at);
    places.find(|at| {
        let after = text[at + word.len()..].chars().next();
        !text[..*at].chars().next_back().is_some_and(is_name) && !after.is_some_and(is_name)
    })
}
