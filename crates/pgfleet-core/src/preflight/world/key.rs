//! Names as they are compared.
//!
//! Invariant: a name without a schema is one of `public`; names are cut to the 63 bytes that
//! PostgreSQL keeps.

use std::cmp::Ordering;

use pgfleet_sql::{ObjectKind, ObjectRef, QualifiedName};

use crate::preflight::history_tables::{Owner, owner_of};

/// PostgreSQL cuts identifiers to this many bytes (`NAMEDATALEN` - 1).
const NAME_MAX_BYTES: usize = 63;

/// Names of one class exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::preflight) enum Class {
    Schema,
    Relation,
    Function,
    Type,
    Trigger,
    Policy,
}

/// A name of a class, in a schema.
#[derive(Debug, Clone)]
pub(in crate::preflight) struct Key {
    pub class: Class,
    /// The schema; of a trigger or policy, that of its table. Empty for schemas.
    schema: String,
    /// The name; of a trigger or policy, `table.name`.
    pub name: String,
    /// The text named the schema; no part of the comparison.
    pub qualified: bool,
}

impl Key {
    pub(in crate::preflight) fn schema(name: &str) -> Self {
        Self { class: Class::Schema, schema: String::new(), name: name.to_owned(), qualified: true }
    }

    pub(in crate::preflight) fn named(class: Class, name: &QualifiedName) -> Self {
        Self {
            class,
            schema: name.schema.clone().unwrap_or_else(|| "public".to_owned()),
            name: cut(&name.name).to_owned(),
            qualified: name.schema.is_some(),
        }
    }

    /// With its schema, for questions to a server.
    pub(in crate::preflight) fn qualified_name(&self) -> QualifiedName {
        QualifiedName::new(self.schema.clone(), self.name.clone())
    }

    /// Of an object, when objects of its kind are followed.
    pub(in crate::preflight) fn of(object: &ObjectRef) -> Option<Self> {
        let class = class_of(object.kind)?;
        match (class, &object.on) {
            (Class::Schema, _) => Some(Self::schema(&object.name.name)),
            (Class::Trigger | Class::Policy, on) => {
                let table = on.as_ref()?;
                let name = format!("{}.{}", cut(&table.name), cut(&object.name.name));
                Some(Self { name, ..Self::named(class, table) })
            }
            _ => Some(Self::named(class, &object.name)),
        }
    }

    /// The schema that the name is in; empty for a schema.
    pub(in crate::preflight) fn schema_name(&self) -> &str {
        &self.schema
    }

    /// Of PostgreSQL itself, or made for one session.
    pub(super) fn is_system(&self) -> bool {
        let schema = if self.class == Class::Schema { &self.name } else { &self.schema };
        schema.starts_with("pg_")
            || schema == "information_schema"
            || (self.class == Class::Schema && schema == "public")
            || (!self.qualified && self.name.starts_with("pg_"))
            // Made by serial and identity columns, under names that PostgreSQL chooses.
            || (self.class == Class::Relation && self.name.ends_with("_seq"))
            || (self.class == Class::Function && is_trigger_function(&self.name))
            || (self.class == Class::Relation && self.is_history())
    }

    fn is_history(&self) -> bool {
        let name = QualifiedName::new(&self.schema, &self.name);
        matches!(owner_of(&name), Some(Owner::Tool(_)))
    }

    /// In a schema, or a part of a table, that is dropped.
    pub(super) fn goes_with(&self, dropped: &Self) -> bool {
        match dropped.class {
            Class::Schema => self.schema == dropped.name,
            _ => self.is_part_of(dropped),
        }
    }

    /// A trigger or policy of a table.
    pub(super) fn is_part_of(&self, table: &Self) -> bool {
        table.class == Class::Relation
            && matches!(self.class, Class::Trigger | Class::Policy)
            && self.schema == table.schema
            && self.name.strip_prefix(&table.name).is_some_and(|rest| rest.starts_with('.'))
    }

    /// The same part of the table under its new name.
    pub(super) fn moved_to(&self, table: &Self) -> Self {
        let part = self.name.rsplit_once('.').map_or("", |(_, part)| part);
        let (schema, name) = (table.schema.clone(), format!("{}.{part}", table.name));
        Self { schema, name, ..self.clone() }
    }

    /// Relations that PostGIS, TimescaleDB and others put where they are installed.
    pub(super) fn is_of_common_extension(&self) -> bool {
        const NAMES: &[&str] = &[
            "spatial_ref_sys",
            "geometry_columns",
            "geography_columns",
            "raster_columns",
            "raster_overviews",
            "layer",
            "topology",
        ];
        NAMES.contains(&self.name.as_str())
    }

    /// The word for messages: `table or view`, `function` …
    pub(in crate::preflight) fn noun(&self) -> &'static str {
        match self.class {
            Class::Schema => "schema",
            Class::Relation => "relation",
            Class::Function => "function",
            Class::Type => "type",
            Class::Trigger => "trigger",
            Class::Policy => "policy",
        }
    }

    /// As a person would write it.
    pub(in crate::preflight) fn shown(&self) -> String {
        let parts = |name: &str| pgfleet_sql::quote_ident(name);
        match self.class {
            Class::Schema => parts(&self.name),
            Class::Trigger | Class::Policy => self.shown_part(),
            _ if self.schema == "public" => parts(&self.name),
            _ => format!("{}.{}", parts(&self.schema), parts(&self.name)),
        }
    }

    fn shown_part(&self) -> String {
        let (table, name) = self.name.split_once('.').unwrap_or(("", &self.name));
        format!("{} on {}", pgfleet_sql::quote_ident(name), pgfleet_sql::quote_ident(table))
    }

    /// The closest of other names: the same in another case or schema, else a few letters apart.
    pub(super) fn nearest<'k>(&self, names: impl Iterator<Item = &'k Self>) -> Option<&'k Self> {
        let limit = (self.name.chars().count() / 4).min(3);
        names
            .filter(|other| other.class == self.class && *other != self)
            .map(|other| (self.distance(other), other))
            .filter(|(distance, _)| *distance <= limit)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, other)| other)
    }

    fn distance(&self, other: &Self) -> usize {
        let (a, b) = (self.name.to_lowercase(), other.name.to_lowercase());
        if a == b { 0 } else { edits(&a, &b) + usize::from(self.schema != other.schema) }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.class, &self.schema, &self.name).cmp(&(other.class, &other.schema, &other.name))
    }
}

fn class_of(kind: ObjectKind) -> Option<Class> {
    use ObjectKind::{
        Aggregate, Domain, ForeignTable, Function, MaterializedView, Policy, Procedure, Relation,
        Routine, Schema, Sequence, Table, Trigger, Type, View,
    };
    match kind {
        Schema => Some(Class::Schema),
        Table | View | MaterializedView | ForeignTable | Sequence | Relation => {
            Some(Class::Relation)
        }
        Function | Procedure | Aggregate | Routine => Some(Class::Function),
        Type | Domain => Some(Class::Type),
        Trigger => Some(Class::Trigger),
        Policy => Some(Class::Policy),
        _ => None,
    }
}

/// Functions of PostgreSQL that triggers are made with.
fn is_trigger_function(name: &str) -> bool {
    matches!(
        name,
        "suppress_redundant_updates_trigger"
            | "tsvector_update_trigger"
            | "tsvector_update_trigger_column"
            | "unique_key_recheck"
    ) || name.starts_with("RI_FKey")
}

fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_MAX_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// Letters to add, remove or replace to make one text the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
