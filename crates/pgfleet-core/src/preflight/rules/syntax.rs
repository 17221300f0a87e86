//! Everything that keeps a file from being read as statements, and statements that PostgreSQL does
//! not accept.

use super::Rule;
use super::impossible::impossible;
use crate::diagnose::Problem;
use crate::folder::Migration;
use crate::program::{Program, syntax_problems};

#[derive(Default)]
pub(super) struct Syntax {
    problems: Vec<Problem>,
}

impl Rule for Syntax {
    fn begin(&mut self, _migration: &Migration, program: &Program) {
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
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        self.problems
    }
}
