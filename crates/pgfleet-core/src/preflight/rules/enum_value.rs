//! An enum value that is used in the transaction that adds it.
//!
//! PostgreSQL refuses that ("unsafe use of new value", SQLSTATE 55P04) unless the type itself was
//! created in the same transaction: `check_safe_enum_use` in src/backend/utils/adt/enum.c.

use pgfleet_sql::{ObjectKind, QualifiedName, Transaction};

use super::super::Here;
use super::super::world::{Class, Key, World};
use super::{Rule, at_word};
use crate::diagnose::{Code, Problem};
use crate::folder::{Migration, TransactionMode};
use crate::program::Program;

#[derive(Default)]
pub(super) struct EnumValue {
    /// Values added in the open transaction.
    added: Vec<Added>,
    /// Types created in the open transaction.
    created: Vec<Key>,
    /// The whole file is one transaction.
    whole: bool,
    problems: Vec<Problem>,
}

struct Added {
    type_name: QualifiedName,
    value: String,
    place: crate::place::Place,
    reported: bool,
}

impl Rule for EnumValue {
    fn begin(&mut self, migration: &Migration, program: &Program) {
        let transaction =
            |t: Transaction| program.statements.iter().any(|s| s.facts.transaction == t);
        self.forget();
        self.whole = migration.transaction == TransactionMode::Auto
            && !transaction(Transaction::Commit)
            && !transaction(Transaction::Never);
    }

    fn look(&mut self, _world: &World<'_>, here: Here<'_>) {
        let facts = &here.statement.facts;
        match facts.transaction {
            Transaction::Commit | Transaction::Rollback => return self.forget(),
            Transaction::Begin => {
                self.forget();
                self.whole = true;
            }
            _ => {}
        }
        if let Some((type_name, value)) = &facts.added_enum_value {
            return self.add(here, type_name, value);
        }
        let types = facts.creates.iter().filter(|object| object.kind == ObjectKind::Type);
        self.created.extend(types.filter_map(Key::of));
        self.find_use(here);
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        self.problems
    }
}

impl EnumValue {
    fn forget(&mut self) {
        self.added.clear();
        self.created.clear();
        self.whole = false;
    }

    fn add(&mut self, here: Here<'_>, type_name: &QualifiedName, value: &str) {
        if self.whole && !self.created.contains(&Key::named(Class::Type, type_name)) {
            self.added.push(Added {
                type_name: type_name.clone(),
                value: value.to_owned(),
                place: here.statement.place.clone(),
                reported: false,
            });
        }
    }

    /// Bodies between dollar quotes are not run when they are defined, and are left out.
    fn find_use(&mut self, here: Here<'_>) {
        if self.added.is_empty() || here.statement.facts.opaque {
            return;
        }
        let sql = outside_dollar_quotes(&here.statement.sql);
        for added in self.added.iter_mut().filter(|added| !added.reported) {
            if sql.contains(&format!("'{}'", added.value.replace('\'', "''"))) {
                added.reported = true;
                self.problems.push(problem(here, added, sql));
            }
        }
    }
}

fn problem(here: Here<'_>, added: &Added, sql: &str) -> Problem {
    let what = format!(
        "the enum value '{}' is used in the transaction that adds it to {}",
        added.value, added.type_name
    );
    // A text of the same letters may be meant; only a cast to the type leaves no doubt.
    let sure = sql.contains(&format!("'::{}", added.type_name))
        || sql.contains(&format!("'::\"{}\"", added.type_name.name));
    let problem = if sure {
        Problem::error(Code::EnumValueUnsafe, what)
    } else {
        Problem::warning(Code::EnumValueUnsafe, what)
    };
    let problem = problem
        .because(format!(
            "PostgreSQL lets a new value be used only after the commit; it is added at {}",
            added.place
        ))
        .fix("Add the value in a migration of its own that runs before this one.");
    at_word(problem, here.statement, &added.value)
}

fn outside_dollar_quotes(sql: &str) -> &str {
    sql.find("$$").or_else(|| sql.find("$function$")).map_or(sql, |at| &sql[..at])
}
