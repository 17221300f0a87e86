//! `CREATE TABLE IF NOT EXISTS` of a table that an earlier migration creates with other columns:
//! the later columns never appear, and nothing says so.

use pgfleet_sql::{Facts, ObjectKind};

use super::super::Here;
use super::super::world::{Class, Key, Table, World, spelled};
use super::{Rule, at_word};
use crate::diagnose::{Code, Problem};

#[derive(Default)]
pub(super) struct SkippedDifferent {
    problems: Vec<Problem>,
}

impl Rule for SkippedDifferent {
    fn look(&mut self, world: &World<'_>, here: Here<'_>) {
        let facts = &here.statement.facts;
        if !facts.if_not_exists {
            return;
        }
        for object in facts.creates.iter().filter(|object| object.kind == ObjectKind::Table) {
            let key = Key::named(Class::Relation, &object.name);
            let exists = world.place_of(&key).is_some();
            if let Some(table) = world.table(&key).filter(|table| exists && table.complete) {
                self.compare(here, &key, table);
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        self.problems
    }
}

impl SkippedDifferent {
    fn compare(&mut self, here: Here<'_>, key: &Key, table: &Table) {
        let facts = &here.statement.facts;
        let missing = missing(facts, table);
        let different = different(facts, table);
        if missing.is_empty() && different.is_empty() {
            return;
        }
        let (name, first) = (key.shown(), &table.place);
        let what = format!(
            "CREATE TABLE IF NOT EXISTS {name} does nothing, and its columns are not those of {first}"
        );
        let mut problem = Problem::warning(Code::SkippedDifferent, what)
            .because("the table exists by then, so PostgreSQL skips the statement without looking at its columns");
        if !missing.is_empty() {
            problem = problem.detail(format!("never appear: {}", missing.join(", ")));
        }
        problem.details.extend(different);
        let problem = match missing.first() {
            Some(column) => problem.fix_with(
                "Add what is missing in a migration of its own:",
                format!("ALTER TABLE {name} ADD COLUMN {column} …;"),
            ),
            None => problem.fix("Change the column's type with ALTER TABLE … ALTER COLUMN … TYPE."),
        };
        self.problems.push(at_word(problem, here.statement, &key.name));
    }
}

/// Columns that the second text has and the table has not.
fn missing(facts: &Facts, table: &Table) -> Vec<String> {
    let absent = facts.columns.iter().filter(|column| table.column(&column.name).is_none());
    absent.map(|column| pgfleet_sql::quote_ident(&column.name)).collect()
}

fn different(facts: &Facts, table: &Table) -> Vec<String> {
    let compare = |column: &pgfleet_sql::ColumnDecl| {
        let there = table.column(&column.name)?.data_type.as_ref()?;
        let here = spelled(&column.type_text);
        (*there != here).then(|| format!("{}: there {there}, here {here}", column.name))
    };
    facts.columns.iter().filter_map(compare).collect()
}
