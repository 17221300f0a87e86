//! What a rule found.

use std::ops::Range;

use pgfleet_sql::QualifiedName;

use super::scene::Busy;
use crate::diagnose::{Code, Problem, Severity};
use crate::program::{self, Statement};

/// Where a finding stands: migration, statement.
pub(super) type StatementId = (usize, usize);

/// Something that a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is, complete.
    pub problem: Problem,
    /// What the target's rows must be asked; without an answer there is no finding.
    pub question: Option<Question>,
    pub(super) at: StatementId,
    /// The rule's own word on how much it weighs.
    pub(super) weight: Option<Severity>,
}

/// A question about the rows of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// A query that gives one number: how many rows stand in the way.
    pub sql: String,
    /// The table, for messages.
    pub table: QualifiedName,
}

impl Finding {
    pub(super) fn new(
        at: StatementId,
        statement: &Statement,
        range: &Range<usize>,
        what: String,
    ) -> Self {
        let place =
            program::place_in(&statement.sql, &statement.place, statement.verbatim, range.start);
        let marked = statement.sql.get(range.clone()).unwrap_or_default();
        let length = marked.lines().next().unwrap_or_default().chars().count();
        let length = u32::try_from(length).unwrap_or(1);
        let mut problem = Problem::warning(Code::LintFinding, what).at(place);
        problem.snippet = Some(program::snippet_at(&statement.sql, range.start, length));
        Self { problem, question: None, at, weight: None }
    }

    /// Says why it matters.
    pub(super) fn because(mut self, cause: impl Into<String>) -> Self {
        self.problem = self.problem.because(cause);
        self
    }

    /// Adds a fact.
    pub(super) fn detail(mut self, fact: impl Into<String>) -> Self {
        self.problem = self.problem.detail(fact);
        self
    }

    /// Says what to do.
    pub(super) fn fix(mut self, text: impl Into<String>) -> Self {
        self.problem = self.problem.fix(text);
        self
    }

    /// Says what to write.
    pub(super) fn fix_with(mut self, text: impl Into<String>, sql: impl Into<String>) -> Self {
        self.problem = self.problem.fix_with(text, sql);
        self
    }

    pub(super) fn weighing(mut self, severity: Severity) -> Self {
        self.weight = Some(severity);
        self
    }

    /// Weighs as much as the table is large.
    pub(super) fn on(self, busy: &Busy) -> Self {
        let finding = self.weighing(busy.severity());
        match busy.shown() {
            Some(size) => finding.detail(size),
            None => finding,
        }
    }

    /// Stands only when the target has such rows.
    pub(super) fn asking(mut self, table: QualifiedName, sql: String) -> Self {
        self.question = Some(Question { sql, table });
        self
    }

    /// The finding once its question was answered with a number of rows; none when there are none.
    pub fn answered(mut self, rows: u64) -> Option<Self> {
        self.question.take()?;
        self.problem.what = self.problem.what.replace("{rows}", &counted(rows));
        (rows > 0).then_some(self)
    }

    /// The finding when its question could not be answered.
    pub fn unanswered(mut self, why: &str) -> Self {
        self.question = None;
        self.problem.what = self.problem.what.replace("{rows}", "an unknown number of rows");
        self.problem.severity = Severity::Note;
        self.detail(format!("they could not be counted: {why}"))
    }
}

fn counted(rows: u64) -> String {
    if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") }
}
