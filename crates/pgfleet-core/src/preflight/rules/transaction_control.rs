//! Files whose own BEGIN, COMMIT and ROLLBACK make no sense, or take back what they did.

use pgfleet_sql::Transaction;

use super::{Rule, at_word};
use crate::diagnose::{Code, Problem};
use crate::folder::Migration;
use crate::plan::units_of;
use crate::program::{Program, Statement};

#[derive(Default)]
pub(super) struct TransactionControl {
    problems: Vec<Problem>,
}

impl Rule for TransactionControl {
    fn begin(&mut self, migration: &Migration, program: &Program) {
        let controls = program.statements.iter().any(|s| is_control(s.facts.transaction));
        if !controls {
            return;
        }
        if let Err(problem) = units_of(program.statements.clone(), migration.transaction) {
            self.problems.push(problem);
        }
        self.follow(&program.statements);
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        self.problems
    }
}

impl TransactionControl {
    fn follow(&mut self, statements: &[Statement]) {
        let mut open: Option<&Statement> = None;
        for statement in statements {
            match (statement.facts.transaction, open) {
                (Transaction::Begin, None) => open = Some(statement),
                (Transaction::Begin, Some(first)) => {
                    self.problems.push(begun_twice(statement, first))
                }
                (Transaction::Commit, Some(_)) => open = None,
                (Transaction::Rollback, Some(_)) => {
                    self.problems.push(rolled_back(statement));
                    open = None;
                }
                (Transaction::Commit | Transaction::Rollback, None) => {
                    self.problems.push(nothing_open(statement));
                }
                _ => {}
            }
        }
    }
}

fn is_control(transaction: Transaction) -> bool {
    matches!(
        transaction,
        Transaction::Begin
            | Transaction::Commit
            | Transaction::Rollback
            | Transaction::PrepareTransaction
    )
}

fn begun_twice(statement: &Statement, first: &Statement) -> Problem {
    let problem =
        Problem::warning(Code::TransactionForbidden, "BEGIN inside a transaction does nothing")
            .because(format!("the transaction begun at {} is still open", first.place))
            .fix("Remove it; use SAVEPOINT for a part that may be taken back alone.");
    at_word(problem, statement, &statement.facts.label)
}

fn rolled_back(statement: &Statement) -> Problem {
    let problem = Problem::warning(Code::TransactionForbidden, "the file takes back what it did")
        .because(
            "ROLLBACK undoes everything since BEGIN, and the migration is recorded all the same",
        )
        .fix("Write COMMIT when the changes are to stay.");
    at_word(problem, statement, &statement.facts.label)
}

fn nothing_open(statement: &Statement) -> Problem {
    let label = &statement.facts.label;
    let problem = Problem::warning(
        Code::TransactionForbidden,
        format!("{label} without BEGIN does nothing"),
    )
    .because("psql would only warn that there is no transaction in progress; here it is left out")
    .fix("Remove it, or write BEGIN where the transaction is to begin.");
    at_word(problem, statement, &statement.facts.label)
}
