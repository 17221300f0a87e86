//! The forms that let readers and writers of existing tables go on.

use pgfleet_sql::quote_ident;

use super::{comment, constraint, index, privileges, table};
use crate::schema::diff::{Difference, Statement, with_suffix};
use crate::schema::graph::Step;
use crate::schema::{Body, Object};

/// What an index is called until the one that replaces it is there.
const OLD_SUFFIX: &str = "__old";

/// The statements of a step that is done in another way online.
pub(super) fn instead(difference: &Difference<'_>, step: Step) -> Option<Vec<Statement>> {
    let online = &difference.online;
    match step {
        Step::Create(at) if online.indexes.contains(&at) => Some(create_index(difference, at)),
        Step::Create(at) if online.keys.contains_key(&at) => Some(use_index(difference, at)),
        Step::Create(at) if online.validated.contains(&at) => {
            Some(create_unchecked(difference, at))
        }
        Step::Drop(at) if online.replaced_indexes.contains(&at) => {
            Some(vec![Statement::shared(step_aside(&difference.from.objects[at]))])
        }
        Step::Drop(at) if online.dropped_indexes.contains(&at) => {
            let name = difference.from.objects[at].id.sql_name();
            Some(vec![Statement::outside(format!("DROP INDEX CONCURRENTLY {name}"))])
        }
        _ => None,
    }
}

fn old_name(object: &Object) -> String {
    quote_ident(&with_suffix(&object.id.name, OLD_SUFFIX))
}

fn step_aside(object: &Object) -> String {
    format!("ALTER INDEX {} RENAME TO {}", object.id.sql_name(), old_name(object))
}

fn create_index(difference: &Difference<'_>, at: usize) -> Vec<Statement> {
    let object = &difference.to.objects[at];
    let Body::Index(body) = &object.body else { return Vec::new() };
    let mut rest = index::create(difference, at, object, body).into_iter();
    let create = rest.next().unwrap_or_default();
    let mut statements =
        vec![Statement::outside(create.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1))];
    let rest = rest.chain(comment::change(None, object));
    let rest = rest.chain(privileges::grant_new(object, difference.from));
    statements.extend(rest.map(Statement::shared));
    let old = difference.from.position(&object.id);
    if old.is_some_and(|old| difference.online.replaced_indexes.contains(&old)) {
        let schema = quote_ident(&object.id.schema);
        let name = old_name(object);
        statements.push(Statement::outside(format!("DROP INDEX CONCURRENTLY {schema}.{name}")));
    }
    statements
}

/// The index of a key, built beside whatever is there.
pub(super) fn build(difference: &Difference<'_>, at: usize) -> Vec<Statement> {
    let object = &difference.to.objects[at];
    let (Body::Constraint(key), Some(name)) = (&object.body, difference.online.keys.get(&at))
    else {
        return Vec::new();
    };
    let sql = constraint::key_index(object, key, name);
    vec![Statement::outside(sql)]
}

fn use_index(difference: &Difference<'_>, at: usize) -> Vec<Statement> {
    let object = &difference.to.objects[at];
    let (Body::Constraint(key), Some(name)) = (&object.body, difference.online.keys.get(&at))
    else {
        return Vec::new();
    };
    let sql = constraint::from_index(object, key, name);
    let mut statements = vec![Statement::shared(sql)];
    statements.extend(comment::change(None, object).into_iter().map(Statement::shared));
    statements
}

fn create_unchecked(difference: &Difference<'_>, at: usize) -> Vec<Statement> {
    let object = &difference.to.objects[at];
    let Body::Constraint(body) = &object.body else { return Vec::new() };
    let (table, name) = (object.id.sql_table(), quote_ident(&object.id.name));
    let definition = &body.definition;
    let sql = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID");
    let mut statements = vec![Statement::shared(sql)];
    statements.extend(comment::change(None, object).into_iter().map(Statement::shared));
    statements
}

pub(super) fn validate(difference: &Difference<'_>, at: usize) -> Vec<Statement> {
    vec![Statement::own(constraint::validate(&difference.to.objects[at]))]
}

/// Fills new columns, then makes columns NOT NULL by a check that was validated.
pub(super) fn tighten(difference: &Difference<'_>, at: usize) -> Vec<Statement> {
    let object = &difference.to.objects[at];
    let table = object.id.sql_name();
    let online = &difference.online;
    let mut statements = Vec::new();
    for column in online.filled.get(&at).into_iter().flatten() {
        let column = quote_ident(column);
        let sql = format!("UPDATE {table} SET {column} = DEFAULT WHERE {column} IS NULL");
        statements.push(Statement::own(sql));
    }
    let columns: Vec<_> = online.not_null.get(&at).into_iter().flatten().collect();
    let check = |column: &str| quote_ident(&with_suffix(column, "__not_null"));
    for column in &columns {
        let (check, column) = (check(column), quote_ident(column));
        let condition = format!("CHECK ({column} IS NOT NULL) NOT VALID");
        statements.push(Statement::shared(format!(
            "ALTER TABLE {table} ADD CONSTRAINT {check} {condition}"
        )));
    }
    for column in &columns {
        let check = check(column);
        statements.push(Statement::own(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check}")));
    }
    for column in &columns {
        let (check, column) = (check(column), quote_ident(column));
        let set = format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL");
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {check}");
        statements.extend([set, drop].map(Statement::shared));
    }
    statements
}

/// A column that is filled later: without its default, which is set after.
pub(super) fn add_unfilled(table_name: &str, column: &crate::schema::Column) -> Vec<String> {
    let bare = crate::schema::Column { default: None, not_null: false, ..column.clone() };
    let name = quote_ident(&column.name);
    let add = format!("ALTER TABLE {table_name} ADD COLUMN {}", table::column_definition(&bare));
    let default = column.default.as_deref().unwrap_or("NULL");
    vec![add, format!("ALTER TABLE {table_name} ALTER COLUMN {name} SET DEFAULT {default}")]
}
