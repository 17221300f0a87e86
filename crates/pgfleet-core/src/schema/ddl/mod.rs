//! Statements: one file for each kind of object.
//!
//! Invariant: names and literals are quoted by `pgfleet_sql` or by PostgreSQL; every statement is
//! one command, without its semicolon.

mod column;
mod comment;
mod constraint;
mod conversion;
mod foreign;
mod index;
mod online;
mod operator;
mod policy;
mod privileges;
mod publication;
mod range;
mod routine;
mod sequence;
mod simple;
mod table;
mod text_search;
mod trigger;
mod types;
mod view;

use pgfleet_sql::quote_text as literal;

use super::diff::{Difference, Statement};
use super::graph::Step;
use super::{Body, Column, Index, Object, Schema, same_text};
pub(crate) use constraint::{from_index as key_from_index, key_index};

/// `KIND name` as `DROP`, `ALTER` and `COMMENT ON` have it.
fn address(object: &Object) -> String {
    format!("{} {}", object.id.kind.keyword(), object.id.sql_address())
}

/// True when PostgreSQL can turn the one object into the other without dropping it.
pub fn can_alter(old: &Object, new: &Object) -> bool {
    match (&old.body, &new.body) {
        (Body::Table(old), Body::Table(new)) => table::can_alter(old, new),
        (Body::Constraint(old), Body::Constraint(new)) => constraint::can_alter(old, new),
        (Body::Index(old), Body::Index(new)) => index::can_alter(old, new),
        (Body::View(old), Body::View(new)) => view::can_replace(old, new),
        (Body::MaterializedView(old), Body::MaterializedView(new)) => view::same_query(old, new),
        (Body::Routine(old), Body::Routine(new)) => routine::can_replace(old, new),
        (Body::Policy(old), Body::Policy(new)) => policy::can_alter(old, new),
        (Body::Trigger(old), Body::Trigger(new)) => trigger::can_alter(old, new),
        (Body::EventTrigger(old), Body::EventTrigger(new)) => trigger::can_alter_event(old, new),
        (Body::Publication(old), Body::Publication(new)) => old.all_tables == new.all_tables,
        (Body::ForeignServer(old), Body::ForeignServer(new)) => foreign::can_alter(old, new),
        (Body::Statistics(old), Body::Statistics(new)) => {
            same_text(&old.definition, &new.definition)
        }
        (Body::TextSearchDictionary(old), Body::TextSearchDictionary(new)) => {
            text_search::can_alter_dictionary(old, new)
        }
        (Body::TextSearchConfig(old), Body::TextSearchConfig(new)) => old.parser == new.parser,
        (Body::Extension(old), Body::Extension(new)) => old.schema == new.schema || old.relocatable,
        (
            Body::Schema
            | Body::Collation(_)
            | Body::Sequence(_)
            | Body::Enum(_)
            | Body::Domain(_)
            | Body::Composite(_)
            | Body::Range(_)
            | Body::Rule(_)
            | Body::ForeignDataWrapper(_)
            | Body::OperatorFamily(_)
            | Body::UserMapping(_)
            | Body::DefaultPrivileges(_),
            _,
        ) => true,
        (old, new) => old == new,
    }
}

/// A policy, trigger or statistics object with its comment, made as it is.
pub(crate) fn create_part(object: &Object) -> Vec<String> {
    let mut statements = match &object.body {
        Body::Policy(policy) => vec![policy::create(object, policy)],
        Body::Trigger(trigger) => trigger::create(object, trigger),
        Body::Statistics(statistics) => simple::create_statistics(object, statistics),
        _ => Vec::new(),
    };
    statements.extend(comment(object));
    statements
}

/// Drops a policy, trigger or statistics object.
pub(crate) fn drop_part(object: &Object) -> String {
    format!("DROP {}", address(object))
}

/// The comment of an object that is made anew.
pub(crate) fn comment(object: &Object) -> Vec<String> {
    comment::change(None, object)
}

/// Statistics targets and comment of an index that is built anew.
pub(crate) fn index_details(object: &Object, index: &Index) -> Vec<String> {
    let mut statements = index::statistics(&object.id.sql_name(), &[], &index.statistics);
    statements.extend(comment(object));
    statements
}

/// Storage, comment and privileges of a column that is made anew.
pub(crate) fn column_details(schema: &Schema, object: &Object, column: &Column) -> Vec<String> {
    let mut statements = column::details(&object.id.sql_name(), column, None, schema);
    statements.extend(comment::of_column(object, &column.name));
    statements.extend(privileges::change_column(object, column, &[]));
    statements
}

/// True when a type is altered by making it anew under the columns that have it.
pub fn needs_retyping(old: &Object, new: &Object) -> bool {
    types::needs_retyping(&old.body, &new.body)
}

/// The statements of one step.
pub fn statements(difference: &Difference<'_>, step: Step) -> Vec<Statement> {
    let from = difference.from;
    if let Some(statements) = online::instead(difference, step) {
        return statements;
    }
    let texts = match step {
        Step::Detach(at) => match &from.objects[at].body {
            Body::Domain(domain) => types::detach(difference, at, domain),
            Body::Sequence(_) => vec![sequence::disown(&from.objects[at])],
            _ => table::detach(difference, at),
        },
        Step::Drop(at) => drop(&from.objects[at]),
        Step::Create(at) => create(difference, at),
        Step::Alter(at) => return alter(difference, at),
        Step::Attach(at) => table::attach(difference, at),
        Step::Finish(at) => finish(difference, at),
        Step::Build(at) => return online::build(difference, at),
        Step::Tighten(at) => return online::tighten(difference, at),
        Step::Validate(at) => return online::validate(difference, at),
    };
    plain(texts)
}

fn drop(object: &Object) -> Vec<String> {
    let sql = match &object.body {
        // It goes with the parent table's.
        Body::Constraint(constraint) if constraint.inherited => return Vec::new(),
        Body::Constraint(_) => constraint::drop(object),
        Body::UserMapping(mapping) => foreign::drop_mapping(mapping),
        Body::DefaultPrivileges(privileges) => {
            return privileges::alter_defaults(Some(privileges), None);
        }
        Body::Operator(operator) => operator::drop(object, operator),
        Body::Schema if object.id.name == "public" => "DROP SCHEMA IF EXISTS public".to_owned(),
        _ => format!("DROP {}", address(object)),
    };
    vec![sql]
}

fn create(difference: &Difference<'_>, at: usize) -> Vec<String> {
    let to = difference.to;
    let object = &to.objects[at];
    let mut statements = create_body(difference, at, object);
    statements.extend(comment::change(None, object));
    statements.extend(privileges::grant_new(object, difference.from));
    statements
}

fn create_body(difference: &Difference<'_>, at: usize, object: &Object) -> Vec<String> {
    let to: &Schema = difference.to;
    match &object.body {
        Body::Schema => vec![simple::create_schema(object)],
        Body::Extension(extension) => vec![simple::create_extension(object, extension)],
        Body::Collation(properties) => vec![simple::create_collation(object, properties)],
        Body::Enum(_) | Body::Domain(_) | Body::Composite(_) | Body::Range(_) => {
            types::create(object)
        }
        Body::Sequence(sequence) => vec![sequence::create(object, sequence)],
        Body::Table(table) => table::create(difference, at, object, table),
        Body::Constraint(constraint) => constraint::create(difference, at, object, constraint),
        Body::Index(index) => index::create(difference, at, object, index),
        Body::View(view) => view::create(object, view, false),
        Body::MaterializedView(view) => view::create_materialized(to, object, view),
        Body::Routine(routine) => vec![routine.definition.trim_end().to_owned()],
        Body::Aggregate(aggregate) => vec![routine::create_aggregate(object, aggregate)],
        Body::Operator(operator) => vec![operator::create(object, operator)],
        Body::OperatorFamily(family) => operator::create_family(object, family),
        Body::OperatorClass(class) => vec![operator::create_class(object, class)],
        Body::Cast(cast) => vec![operator::create_cast(object, cast)],
        Body::Trigger(trigger) => trigger::create(object, trigger),
        Body::EventTrigger(trigger) => trigger::create_event(object, trigger),
        Body::Rule(rule) => trigger::create_rule(object, rule),
        Body::Policy(policy) => vec![policy::create(object, policy)],
        Body::Statistics(statistics) => simple::create_statistics(object, statistics),
        Body::Publication(publication) => vec![publication::create(to, object, publication)],
        Body::ForeignDataWrapper(wrapper) => vec![foreign::create_wrapper(object, wrapper)],
        Body::ForeignServer(server) => vec![foreign::create_server(object, server)],
        Body::UserMapping(mapping) => vec![foreign::create_mapping(mapping)],
        Body::TextSearchParser(properties)
        | Body::TextSearchTemplate(properties)
        | Body::TextSearchDictionary(properties) => {
            vec![text_search::create(object, properties)]
        }
        Body::TextSearchConfig(config) => text_search::create_config(object, config),
        Body::DefaultPrivileges(privileges) => privileges::alter_defaults(None, Some(privileges)),
    }
}

fn alter(difference: &Difference<'_>, at: usize) -> Vec<Statement> {
    let new = &difference.to.objects[at];
    let Some(from) = difference.alters.get(&at) else { return Vec::new() };
    let old = &difference.from.objects[*from];
    let mut statements = match (&old.body, &new.body) {
        _ if difference.retyped.contains(from) => plain(types::retype(difference, at, new)),
        (Body::Enum(o), Body::Enum(n)) => types::alter_enum(new, o, n),
        _ => plain(alter_body(difference, at, old, new)),
    };
    if difference.retyped.contains(from) {
        // A type that was made anew has nothing of the old one's.
        statements.extend(plain(comment::change(None, new)));
        statements.extend(plain(privileges::grant_new(new, difference.from)));
        return statements;
    }
    statements.extend(plain(comment::change(Some(old), new)));
    statements.extend(plain(privileges::change(old, new, difference.from)));
    statements
}

fn plain(texts: Vec<String>) -> Vec<Statement> {
    texts.into_iter().map(Statement::shared).collect()
}

fn alter_body(difference: &Difference<'_>, at: usize, old: &Object, new: &Object) -> Vec<String> {
    match (&old.body, &new.body) {
        (Body::Extension(o), Body::Extension(n)) => simple::alter_extension(new, o, n),
        (Body::Domain(o), Body::Domain(n)) => types::alter_domain(difference, at, new, o, n),
        (Body::Composite(o), Body::Composite(n)) => types::alter_composite(new, o, n),
        (Body::Sequence(o), Body::Sequence(n)) => sequence::alter(new, o, n),
        (Body::Table(_), Body::Table(_)) => table::alter(difference, at, old, new),
        (Body::Constraint(o), Body::Constraint(n)) => constraint::alter(new, o, n),
        (Body::Index(o), Body::Index(n)) => index::alter(difference, at, new, o, n),
        (Body::View(o), Body::View(n)) => view::alter(new, o, n),
        (Body::MaterializedView(o), Body::MaterializedView(n)) => {
            view::alter_materialized(difference.to, new, o, n)
        }
        (Body::Routine(o), Body::Routine(n)) if o.definition != n.definition => {
            vec![n.definition.trim_end().to_owned()]
        }
        (Body::OperatorFamily(o), Body::OperatorFamily(n)) => operator::alter_family(new, o, n),
        (Body::Trigger(o), Body::Trigger(n)) => trigger::alter(new, o, n),
        (Body::EventTrigger(o), Body::EventTrigger(n)) => trigger::alter_event(new, o, n),
        (Body::Rule(o), Body::Rule(n)) => trigger::alter_rule(new, o, n),
        (Body::Policy(o), Body::Policy(n)) => policy::alter(new, o, n),
        (Body::Statistics(o), Body::Statistics(n)) => simple::alter_statistics(new, o, n),
        (Body::Publication(o), Body::Publication(n)) => {
            publication::alter(difference.to, new, o, n)
        }
        (Body::ForeignDataWrapper(o), Body::ForeignDataWrapper(n)) => {
            foreign::alter_wrapper(new, o, n)
        }
        (Body::ForeignServer(o), Body::ForeignServer(n)) => foreign::alter_server(new, o, n),
        (Body::TextSearchDictionary(o), Body::TextSearchDictionary(n)) => {
            text_search::alter_dictionary(new, o, n)
        }
        (Body::TextSearchConfig(o), Body::TextSearchConfig(n)) => {
            text_search::alter_config(new, o, n)
        }
        (Body::DefaultPrivileges(o), Body::DefaultPrivileges(n)) => {
            privileges::alter_defaults(Some(o), Some(n))
        }
        _ => Vec::new(),
    }
}

fn finish(difference: &Difference<'_>, at: usize) -> Vec<String> {
    let object = &difference.to.objects[at];
    let is_new = difference.creates.contains(&at);
    let old = difference.from.get(&object.id).filter(|_| !is_new);
    match &object.body {
        Body::Sequence(new) => {
            let from = difference.alters.get(&at).and_then(|from| difference.rebuilds.get(from));
            let is_freed = from.is_some_and(|rebuild| rebuild.owner);
            let old = old.filter(|_| !is_freed).and_then(|old| match &old.body {
                Body::Sequence(sequence) => sequence.owned_by.as_ref(),
                _ => None,
            });
            sequence::own(object, old, new.owned_by.as_ref())
        }
        Body::Table(new) => table::finish(difference, at, old.and_then(Object::table), new),
        _ => {
            let from = difference.alters.get(&at);
            let retyped = from.is_some_and(|at| difference.retyped.contains(at));
            retyped.then(|| types::drop_renamed(object)).into_iter().collect()
        }
    }
}
