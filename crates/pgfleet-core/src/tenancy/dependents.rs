//! What stands on a tenant column of another type: it is made for the column beside while that is
//! filled, and put in the place of the old in the transaction that exchanges the columns.
//!
//! Invariant: names, definitions and comments are as before; no row is read under the lock.

use pgfleet_sql::definition::with_column_renamed;
use pgfleet_sql::quote_ident;

use super::names;
use super::steps::{Piece, Writer};
use super::survey::TableState;
use crate::schema::ddl;
use crate::schema::{Body, Column, Constraint, ConstraintKind, Index, Object, ReplicaIdentity};

/// Why a column cannot be exchanged beside its readers and writers.
pub(super) struct Obstacle {
    /// What stands on the column, and how.
    pub(super) what: String,
    /// `ALTER COLUMN … TYPE` takes it along.
    pub(super) can_be_rewritten: bool,
}

/// What is done about everything that stands on the column.
#[derive(Default)]
pub(super) struct Carried {
    /// On the column beside, before the exchange.
    pub(super) built: Vec<Piece>,
    /// In the exchange, before the old column goes.
    pub(super) taken_off: Vec<String>,
    /// In the exchange, once the new one has the name.
    pub(super) put_on: Vec<String>,
    /// What is checked beside readers and writers afterwards.
    pub(super) validated: Vec<Piece>,
}

/// What stands in the way of an exchange.
pub(super) fn obstacles(state: &TableState<'_>) -> Vec<Obstacle> {
    let mut found: Vec<Obstacle> =
        state.column_dependents.iter().filter_map(|object| obstacle(state, object)).collect();
    found.dedup_by(|one, other| one.what == other.what);
    found
}

fn obstacle(state: &TableState<'_>, object: &Object) -> Option<Obstacle> {
    let own = &state.object.id;
    let said = |what: String, can_be_rewritten| Some(Obstacle { what, can_be_rewritten });
    if object.id == *own {
        return said("a generated column or the partition key is made of it".to_owned(), false);
    }
    if replica_identity(state) == Some(&object.id.name) {
        return said(format!("{} is the table's replica identity", object.id), true);
    }
    let is_elsewhere = !object.id.table.is_empty() && object.id.table != own.name;
    let is_partitioned = !state.leaves.is_empty();
    match &object.body {
        Body::Constraint(one) if one.inherited => None,
        Body::Constraint(one) if one.kind == ConstraintKind::ForeignKey && is_elsewhere => {
            said(format!("{} of {} references it", object.id, object.id.table), true)
        }
        Body::Constraint(one) if one.kind == ConstraintKind::Exclusion => {
            said(format!("{} excludes rows by it", object.id), true)
        }
        Body::Constraint(one) if is_partitioned && one.kind != ConstraintKind::Check => {
            said(format!("{} of a partitioned table stands on it", object.id), true)
        }
        Body::Index(_) if is_partitioned => {
            said(format!("{} of a partitioned table stands on it", object.id), true)
        }
        // PostgreSQL lists their columns in the order of the table's.
        Body::Statistics(_) if !is_last(state) => {
            said(format!("{} names its columns in their order", object.id), true)
        }
        Body::Index(index) if !index.valid => said(format!("{} is not valid", object.id), false),
        Body::Constraint(_)
        | Body::Index(_)
        | Body::Policy(_)
        | Body::Trigger(_)
        | Body::Statistics(_) => None,
        _ => said(format!("{} reads it", object.id), false),
    }
}

fn replica_identity<'s>(state: &'s TableState<'_>) -> Option<&'s String> {
    match &state.object.table()?.replica_identity {
        ReplicaIdentity::Index(name) => Some(name),
        _ => None,
    }
}

fn is_last(state: &TableState<'_>) -> bool {
    state.object.columns().last().map(|last| &last.name) == state.column.map(|is| &is.name)
}

/// Everything that stands on the column, for an exchange in either direction.
pub(super) fn carried(writer: &Writer<'_>, beside: &str) -> Carried {
    let mut carried = Carried::default();
    for object in &writer.state.column_dependents {
        match &object.body {
            Body::Index(index) => carried.index(writer, object, index, beside),
            Body::Constraint(one) if one.inherited => {}
            Body::Constraint(one) => match one.kind {
                ConstraintKind::PrimaryKey | ConstraintKind::Unique => {
                    carried.key(writer, object, one, beside);
                }
                _ => carried.constraint(object, one),
            },
            Body::Policy(_) | Body::Trigger(_) | Body::Statistics(_) => {
                carried.taken_off.push(ddl::drop_part(object));
                carried.put_on.extend(ddl::create_part(object));
            }
            _ => {}
        }
    }
    carried
}

impl Carried {
    fn index(&mut self, writer: &Writer<'_>, object: &Object, index: &Index, beside: &str) {
        let name = beside_name(writer, object);
        let (schema, quoted) = (quote_ident(&object.id.schema), quote_ident(&name));
        let column = &writer.tenancy.column;
        let old = quote_ident(&object.id.name);
        let renamed = with_column_renamed(&index.definition, column, beside);
        let built = renamed.replacen(
            &format!(" INDEX {old} "),
            &format!(" INDEX CONCURRENTLY {quoted} "),
            1,
        );
        self.built.push(Piece::Alone(built));
        self.put_on.push(format!("ALTER INDEX {schema}.{quoted} RENAME TO {old}"));
        self.put_on.extend(ddl::index_details(object, index));
    }

    fn key(&mut self, writer: &Writer<'_>, object: &Object, key: &Constraint, beside: &str) {
        let name = beside_name(writer, object);
        let column = &writer.tenancy.column;
        let index = ddl::key_index(object, key, &name);
        self.built.push(Piece::Alone(with_column_renamed(&index, column, beside)));
        self.put_on.push(ddl::key_from_index(object, key, &name));
        self.put_on.extend(ddl::comment(object));
    }

    /// A check or foreign key: it holds for new rows from the exchange on, and for the others once they
    /// were read.
    fn constraint(&mut self, object: &Object, one: &Constraint) {
        let (table, name) = (object.id.sql_table(), quote_ident(&object.id.name));
        let definition = one.definition.trim_end_matches(" NOT VALID");
        self.put_on
            .push(format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID"));
        self.put_on.extend(ddl::comment(object));
        if one.validated {
            let sql = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
            self.validated.push(Piece::Alone(sql));
        }
    }
}

fn beside_name(writer: &Writer<'_>, object: &Object) -> String {
    names::free(writer.lookup, &object.id.schema, names::joined(&object.id.name, "new"))
}

/// What a column has besides type, default and NOT NULL. How values are kept belongs to the old type.
pub(super) fn details(writer: &Writer<'_>, is: &Column, keeps_type: bool) -> Vec<String> {
    let mut kept = is.clone();
    if !keeps_type {
        (kept.storage, kept.compression) = (None, None);
    }
    ddl::column_details(writer.lookup.schema, writer.state.object, &kept)
}
