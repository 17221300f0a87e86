//! Enums, domains, composite and range types; collations, which are made anew like them.
//!
//! A type that PostgreSQL cannot alter is renamed, made anew, put under the columns that had it
//! (their values go through text), and dropped.

use pgfleet_sql::quote_ident;

use super::{address, range, simple};
use crate::schema::diff::{Difference, Framing, Statement};
use crate::schema::{
    Body, Column, Composite, DomainConstraint, DomainType, EnumType, Kind, Object,
};

/// What the old type is called for a moment.
const OLD_SUFFIX: &str = "__old";

pub(super) fn needs_retyping(old: &Body, new: &Body) -> bool {
    match (old, new) {
        (Body::Enum(old), Body::Enum(new)) => !only_adds(&old.labels, &new.labels),
        (Body::Domain(old), Body::Domain(new)) => {
            old.base != new.base || old.collation != new.collation
        }
        (Body::Collation(old), Body::Collation(new)) => old != new,
        (Body::Range(old), Body::Range(new)) => old.clauses != new.clauses,
        (Body::Composite(old), Body::Composite(new)) => !keeps_order(old, new),
        _ => false,
    }
}

/// Attributes that stay keep their order, and new ones come last.
fn keeps_order(old: &Composite, new: &Composite) -> bool {
    let names = |composite: &Composite| -> Vec<String> {
        composite.attributes.iter().map(|attribute| attribute.name.clone()).collect()
    };
    let (old, new) = (names(old), names(new));
    let kept: Vec<_> = old.iter().filter(|name| new.contains(name)).collect();
    new.iter().take(kept.len()).eq(kept)
}

/// True when the old labels stay, in their order.
fn only_adds(old: &[String], new: &[String]) -> bool {
    let kept: Vec<_> = new.iter().filter(|label| old.contains(label)).collect();
    kept.len() == old.len() && kept.into_iter().eq(old)
}

pub(super) fn create(object: &Object) -> Vec<String> {
    let name = object.id.sql_name();
    match &object.body {
        Body::Enum(body) => {
            let labels: Vec<_> = body.labels.iter().map(|label| super::literal(label)).collect();
            vec![format!("CREATE TYPE {name} AS ENUM ({})", labels.join(", "))]
        }
        Body::Composite(body) => {
            let attributes: Vec<_> = body.attributes.iter().map(attribute).collect();
            vec![format!("CREATE TYPE {name} AS ({})", attributes.join(", "))]
        }
        Body::Range(body) => range::create(object, body),
        Body::Domain(body) => create_domain(&name, body),
        Body::Collation(body) => vec![simple::create_collation(object, body)],
        _ => Vec::new(),
    }
}

fn attribute(column: &Column) -> String {
    let collation = column.collation.as_ref().map(|c| format!(" COLLATE {c}")).unwrap_or_default();
    format!("{} {}{collation}", quote_ident(&column.name), column.type_name)
}

const NOT_VALID: &str = " NOT VALID";

fn create_domain(name: &str, domain: &DomainType) -> Vec<String> {
    let mut sql = format!("CREATE DOMAIN {name} AS {}", domain.base);
    if let Some(collation) = &domain.collation {
        sql.push_str(&format!(" COLLATE {collation}"));
    }
    if let Some(default) = &domain.default {
        sql.push_str(&format!(" DEFAULT {default}"));
    }
    if domain.not_null {
        sql.push_str(" NOT NULL");
    }
    // Only ALTER DOMAIN takes a check without looking at the values.
    let (later, now): (Vec<_>, Vec<_>) =
        domain.constraints.iter().partition(|check| check.definition.ends_with(NOT_VALID));
    for check in now {
        sql.push_str(&format!(" CONSTRAINT {} {}", quote_ident(&check.name), check.definition));
    }
    let add = |check: &&DomainConstraint| add_check(&format!("ALTER DOMAIN {name}"), check);
    std::iter::once(sql).chain(later.iter().map(add)).collect()
}

fn add_check(head: &str, check: &DomainConstraint) -> String {
    format!("{head} ADD CONSTRAINT {} {}", quote_ident(&check.name), check.definition)
}

/// Takes off a domain the checks and the default that use what is replaced.
pub(super) fn detach(difference: &Difference<'_>, at: usize, domain: &DomainType) -> Vec<String> {
    let head = format!("ALTER {}", address(&difference.from.objects[at]));
    let Some(rebuild) = difference.rebuilds.get(&at) else { return Vec::new() };
    let used = |text: &str| rebuild.checks.iter().any(|name| text.contains(name.as_str()));
    let checks = domain.constraints.iter().filter(|check| used(&check.definition));
    let drop =
        |check: &DomainConstraint| format!("{head} DROP CONSTRAINT {}", quote_ident(&check.name));
    let default = domain.default.iter().filter(|default| used(default));
    checks.map(drop).chain(default.map(|_| format!("{head} DROP DEFAULT"))).collect()
}

/// What is left of a domain after [`detach`].
fn detached(difference: &Difference<'_>, at: usize, domain: &DomainType) -> DomainType {
    let mut domain = domain.clone();
    let from = difference.alters.get(&at);
    let Some(rebuild) = from.and_then(|from| difference.rebuilds.get(from)) else { return domain };
    let used = |text: &str| rebuild.checks.iter().any(|name| text.contains(name.as_str()));
    domain.constraints.retain(|check| !used(&check.definition));
    domain.default = domain.default.filter(|default| !used(default));
    domain
}

/// New labels, each committed before it can be used.
pub(super) fn alter_enum(object: &Object, old: &EnumType, new: &EnumType) -> Vec<Statement> {
    let name = object.id.sql_name();
    let mut statements = Vec::new();
    for (position, label) in new.labels.iter().enumerate() {
        if old.labels.contains(label) {
            continue;
        }
        let place = match position.checked_sub(1).and_then(|before| new.labels.get(before)) {
            Some(before) => format!("AFTER {}", super::literal(before)),
            None => match old.labels.first() {
                Some(first) => format!("BEFORE {}", super::literal(first)),
                None => String::new(),
            },
        };
        let sql = format!("ALTER TYPE {name} ADD VALUE {} {place}", super::literal(label));
        statements.push(Statement { sql: sql.trim_end().to_owned(), framing: Framing::Last });
    }
    statements
}

pub(super) fn alter_domain(
    difference: &Difference<'_>,
    at: usize,
    object: &Object,
    old: &DomainType,
    new: &DomainType,
) -> Vec<String> {
    let head = format!("ALTER {}", address(object));
    let old = &detached(difference, at, old);
    let mut statements = Vec::new();
    let stays = |one: &DomainConstraint| new.constraints.contains(one) || validates(one, new);
    for check in old.constraints.iter().filter(|check| !stays(check)) {
        statements.push(format!("{head} DROP CONSTRAINT {}", quote_ident(&check.name)));
    }
    if old.default != new.default {
        statements.push(match &new.default {
            Some(default) => format!("{head} SET DEFAULT {default}"),
            None => format!("{head} DROP DEFAULT"),
        });
    }
    if old.not_null != new.not_null {
        statements.push(format!("{head} {} NOT NULL", if new.not_null { "SET" } else { "DROP" }));
    }
    for check in old.constraints.iter().filter(|check| validates(check, new)) {
        statements.push(format!("{head} VALIDATE CONSTRAINT {}", quote_ident(&check.name)));
    }
    let has = |check: &DomainConstraint| {
        old.constraints.iter().any(|one| one.name == check.name && stays(one))
    };
    let added = new.constraints.iter().filter(|check| !has(check));
    statements.extend(added.map(|check| add_check(&head, check)));
    statements
}

/// A check that was not checked on all values shall be.
fn validates(check: &DomainConstraint, new: &DomainType) -> bool {
    let definition = check.definition.strip_suffix(NOT_VALID);
    let same = |one: &DomainConstraint| {
        one.name == check.name && Some(one.definition.as_str()) == definition
    };
    new.constraints.iter().any(same)
}

pub(super) fn alter_composite(object: &Object, old: &Composite, new: &Composite) -> Vec<String> {
    let head = format!("ALTER {}", address(object));
    let find = |composite: &Composite, name: &str| {
        composite.attributes.iter().find(|one| one.name == name).cloned()
    };
    let mut statements = Vec::new();
    for gone in old.attributes.iter().filter(|one| find(new, &one.name).is_none()) {
        statements.push(format!("{head} DROP ATTRIBUTE {}", quote_ident(&gone.name)));
    }
    for one in &new.attributes {
        match find(old, &one.name) {
            None => statements.push(format!("{head} ADD ATTRIBUTE {}", attribute(one))),
            Some(had) if attribute(&had) != attribute(one) => {
                let name = quote_ident(&one.name);
                let rest = attribute(one);
                let rest = rest.strip_prefix(&name).unwrap_or(&rest).trim_start();
                statements.push(format!("{head} ALTER ATTRIBUTE {name} TYPE {rest}"));
            }
            Some(_) => {}
        }
    }
    statements
}

/// Makes a type anew under the columns that have it.
pub(super) fn retype(difference: &Difference<'_>, at: usize, object: &Object) -> Vec<String> {
    let old_name = format!("{}{OLD_SUFFIX}", object.id.name);
    let mut statements =
        vec![format!("ALTER {} RENAME TO {}", address(object), quote_ident(&old_name))];
    if let Some(Body::Range(old)) = difference.from.get(&object.id).map(|old| &old.body) {
        let other_bounds = is_retyped(difference, old.subtype());
        statements.extend(range::step_aside(object, old, OLD_SUFFIX, other_bounds));
    }
    statements.extend(create(object));
    let is_collation = object.id.kind == Kind::Collation;
    let columns = columns_of_type(difference, at);
    let own = columns.iter().filter(|column| !column.from_above);
    statements.extend(own.flat_map(|column| move_column(column, is_collation)));
    statements.extend(columns.iter().flat_map(keep_storage));
    statements
}

/// The type that was renamed goes when no column has it any more.
pub(super) fn drop_renamed(object: &Object) -> String {
    let schema = quote_ident(&object.id.schema);
    let old_name = quote_ident(&format!("{}{OLD_SUFFIX}", object.id.name));
    format!("DROP {} {schema}.{old_name}", object.id.kind.keyword())
}

/// A column that has a type before and after.
struct Moved {
    /// Its table as SQL.
    table: String,
    /// The table's rows are elsewhere.
    foreign: bool,
    /// As it is afterwards; its default only when it had one before.
    column: Column,
    /// It had a default, which stands in the way of the new type whether it stays or not.
    had_default: bool,
    /// The column has the type; else its default uses it.
    retyped: bool,
    /// It has its type from a parent, and gets the new one with the parent's.
    from_above: bool,
}

/// Columns that have the type before and after.
fn columns_of_type(difference: &Difference<'_>, at: usize) -> Vec<Moved> {
    let to = difference.to;
    let own = &to.objects[at].id.sql_name();
    let column = |edge: &crate::schema::Edge| {
        let table = &to.objects[edge.from as usize];
        let name = edge.from_column.as_deref()?;
        let column = table.table()?.columns.iter().find(|column| column.name == name)?;
        let old = difference.from.get(&table.id)?;
        let from = difference.from.position(&table.id)?;
        if difference.drops.contains(&from) {
            return None;
        }
        let had = old.columns().iter().find(|column| column.name == name)?;
        let readded = difference.rebuilds.get(&from).is_some_and(|r| r.columns.contains(name));
        // A partition that leaves is still below its table.
        let is_partition = old.table().is_some_and(|table| table.partition_bound.is_some());
        let from_above = had.inherited && (column.inherited || is_partition);
        let is_own = |column: &Column| match to.objects[at].id.kind {
            Kind::Collation => column.collation.as_ref() == Some(own),
            _ => element(&column.type_name) == own,
        };
        let retyped = is_own(column) && is_own(had);
        let moves = retyped || !is_retyped(difference, &column.type_name);
        let same = had.type_name == column.type_name && !readded;
        (same && moves).then(|| Moved {
            retyped,
            from_above,
            table: table.id.sql_name(),
            foreign: table.id.kind == Kind::ForeignTable,
            column: Column {
                default: had.default.clone().and(column.default.clone()),
                ..column.clone()
            },
            had_default: had.default.is_some() && had.generated.is_none(),
        })
    };
    let mut columns: Vec<_> =
        to.edges.iter().filter(|edge| edge.to as usize == at).filter_map(column).collect();
    columns.sort_by(|a, b| a.key().cmp(&b.key()));
    columns.dedup_by(|a, b| a.key() == b.key());
    columns
}

fn element(type_name: &str) -> &str {
    type_name.trim_end_matches("[]")
}

/// True for a column whose type is made anew under it.
pub(super) fn is_retyped(difference: &Difference<'_>, type_name: &str) -> bool {
    let from = difference.from;
    let types = difference.retyped.iter().map(|at| &from.objects[*at].id);
    types.filter(|id| id.kind.is_type()).any(|id| id.sql_name() == element(type_name))
}

impl Moved {
    fn key(&self) -> (&str, &str) {
        (&self.table, &self.column.name)
    }
}

fn move_column(moved: &Moved, is_collation: bool) -> Vec<String> {
    let Moved { table, foreign, column, had_default, retyped, .. } = moved;
    let name = quote_ident(&column.name);
    let kind = if *foreign { "FOREIGN TABLE" } else { "TABLE" };
    let head = format!("ALTER {kind} {table} ALTER COLUMN {name}");
    let type_name = &column.type_name;
    let mut statements = Vec::new();
    let default = column.default.as_ref().filter(|_| column.generated.is_none());
    if *had_default {
        statements.push(format!("{head} DROP DEFAULT"));
    }
    match (&column.collation, retyped) {
        (Some(collation), true) if is_collation => {
            statements.push(format!("{head} TYPE {type_name} COLLATE {collation}"));
        }
        (_, true) if *foreign => statements.push(format!("{head} TYPE {type_name}")),
        (_, true) => {
            statements.push(format!("{head} TYPE {type_name} USING {name}::text::{type_name}"));
        }
        (_, false) => {}
    }
    statements.extend(default.map(|default| format!("{head} SET DEFAULT {default}")));
    statements
}

/// A new type brings its own storage and compression, to tables below too, which may keep others.
fn keep_storage(moved: &Moved) -> Vec<String> {
    let Moved { table, column, .. } = moved;
    let kept = [("STORAGE", &column.storage), ("COMPRESSION", &column.compression)];
    let kept = kept.into_iter().filter_map(|(what, how)| Some((what, how.as_ref()?)));
    let kept = kept.filter(|_| moved.retyped && !moved.foreign);
    let head = format!("ALTER TABLE ONLY {table} ALTER COLUMN {}", quote_ident(&column.name));
    kept.map(|(what, how)| format!("{head} SET {what} {how}")).collect()
}
