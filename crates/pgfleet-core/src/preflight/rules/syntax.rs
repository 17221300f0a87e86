//! Everything that keeps a file from being read as statements, and statements that PostgreSQL does
//! not accept.

use super::Rule;
use super::impossible::impossible;
use crate::diagnose::{Problem, Severity};
use crate::folder::Migration;
use crate::program::{self, Program, syntax_problems};

#[derive(Default)]
pub(super) struct Syntax {
    problems: Vec<Problem>,
}

impl Rule for Syntax {
    fn begin(&mut self, migration: &Migration, program: &Program) {
        self.problems.extend(program.problems.iter().cloned());
        let known: Vec<_> = program.statements.iter().filter_map(impossible).collect();
        let line = |problem: &Problem| {
            problem.place.as_ref().map(|place| (place.file.clone(), place.line))
        };
        // What is known by name is said better than by the parser.
        let said: Vec<_> = known.iter().map(line).collect();
        let parsed = syntax_problems(program).into_iter();
        self.problems.extend(parsed.filter(|problem| !said.contains(&line(problem))));
        self.problems.extend(known);
        self.problems.extend(down_part(migration));
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        self.problems
    }
}

/// What no server reads of the down part: it stops no apply, but the migration cannot be taken back.
fn down_part(migration: &Migration) -> Vec<Problem> {
    let program = migration.down.as_ref().map(|down| program::build(down, &|_, _, _| None));
    let problems = program.as_ref().map(syntax_problems).unwrap_or_default().into_iter();
    let warned = problems.filter(Problem::is_error).map(|problem| {
        let why = "it is in the down part: the migration cannot be taken back by it";
        Problem { severity: Severity::Warning, ..problem }.because(why)
    });
    warned.collect()
}
