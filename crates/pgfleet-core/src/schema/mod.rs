//! The schema of a database as data: every object with its identity, what it is, and what it
//! depends on.
//!
//! Invariant: objects are in the order of their identities, which are unique; every edge points at
//! two of them. Definitions are PostgreSQL's own (`pg_get_*def`, `format_type`, `pg_get_expr`, read
//! with an empty search path, so that everything is qualified); nothing here parses SQL.

pub mod ddl;
mod details;
pub mod diff;
mod fingerprint;
mod foreign;
mod grant;
pub mod graph;
pub mod hazard;
mod identity;
mod parts;
mod places;
mod programmed;
mod publication;
pub mod rename;
mod scope;
mod spelling;
mod table;
mod types;
mod widening;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use details::{ColumnDetails, Details};
pub use fingerprint::Digests;
pub use foreign::{ForeignDataWrapper, ForeignOption, ForeignServer, UserMapping};
pub use grant::{DefaultPrivileges, Grant, PUBLIC, read_acl};
pub use identity::{Kind, ObjectId};
pub use parts::parts;
pub use places::Places;
pub use programmed::{
    Aggregate, Cast, EventTrigger, Firing, Operator, OperatorClass, OperatorFamily, Policy,
    Routine, Rule, Trigger, View,
};
pub use publication::{Publication, PublishedTable};
pub use scope::{Platform, Scope};
pub use spelling::{canonical_default, canonical_text, canonical_view, same_default, same_text};
pub use table::{
    Column, Constraint, ConstraintKind, ForeignPart, Generated, Identity, Index, Persistence,
    ReplicaIdentity, Sequence, SequenceOwner, Statistics, Table,
};
pub use types::{
    Composite, DomainConstraint, DomainType, EnumType, Extension, Properties, RangeType,
    TextSearchConfig, TextSearchMapping,
};
pub(crate) use widening::{keeps_rows, keeps_values};

/// Layout version of a snapshot.
pub const SNAPSHOT_VERSION: u32 = 1;

/// A database's schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// [`SNAPSHOT_VERSION`].
    pub version: u32,
    /// Version of the server that it was read from, 150004 for 15.4; 0 when it is not known.
    pub server_version_num: u32,
    /// In the order of their identities.
    pub objects: Vec<Object>,
    /// What depends on what, in order.
    pub edges: Vec<Edge>,
    /// Objects that the model has no place for, as `conversion app.c`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmodelled: Vec<String>,
    /// Schemas of the database that do not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Where each object is.
    #[serde(skip)]
    pub places: Places,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// Which one.
    pub id: ObjectId,
    /// What it is.
    pub body: Body,
    /// `COMMENT ON` it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `COMMENT ON` its columns (of a domain, its constraints), by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub part_comments: BTreeMap<String, String>,
    /// What roles other than its owner may do with it, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// One object, or one column of it, needs another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// Position in [`Schema::objects`] of what depends.
    pub from: u32,
    /// The column that depends, when it is not all of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_column: Option<Box<str>>,
    /// Position in [`Schema::objects`] of what is needed.
    pub to: u32,
    /// The column that is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_column: Option<Box<str>>,
}

/// What an object is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are PostgreSQL's")]
pub enum Body {
    Schema,
    Extension(Extension),
    Collation(Properties),
    Enum(EnumType),
    Domain(DomainType),
    Composite(Composite),
    Range(RangeType),
    Sequence(Sequence),
    Table(Box<Table>),
    Constraint(Constraint),
    Index(Index),
    View(View),
    MaterializedView(View),
    Routine(Routine),
    Aggregate(Aggregate),
    Operator(Operator),
    OperatorFamily(OperatorFamily),
    OperatorClass(OperatorClass),
    Cast(Cast),
    Trigger(Trigger),
    EventTrigger(EventTrigger),
    Rule(Rule),
    Policy(Policy),
    Statistics(Statistics),
    Publication(Publication),
    ForeignDataWrapper(ForeignDataWrapper),
    ForeignServer(ForeignServer),
    UserMapping(UserMapping),
    TextSearchParser(Properties),
    TextSearchTemplate(Properties),
    TextSearchDictionary(Properties),
    TextSearchConfig(TextSearchConfig),
    DefaultPrivileges(DefaultPrivileges),
}

impl Schema {
    /// A schema without anything in it.
    pub fn empty() -> Self {
        Self {
            version: SNAPSHOT_VERSION,
            server_version_num: 0,
            objects: Vec::new(),
            edges: Vec::new(),
            unmodelled: Vec::new(),
            left_out: Vec::new(),
            places: Places::default(),
        }
    }

    /// The position of an object.
    pub fn position(&self, id: &ObjectId) -> Option<usize> {
        self.places.find(&self.objects, id)
    }

    /// An object by its identity.
    pub fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.position(id).map(|at| &self.objects[at])
    }

    /// What an object needs: its edges, which are in the order of what depends.
    pub fn needs_of(&self, at: usize) -> &[Edge] {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let first = self.edges.partition_point(|edge| edge.from < at);
        let count = self.edges[first..].partition_point(|edge| edge.from == at);
        &self.edges[first..first + count]
    }

    /// The part of the schema that is in one namespace; objects outside of all namespaces are left
    /// out.
    #[must_use]
    pub fn only(self, namespace: &str) -> Self {
        self.filter(|object| {
            let id = &object.id;
            id.schema == namespace || (id.kind == Kind::Schema && id.name == namespace)
        })
    }

    /// The part of the schema that satisfies a condition, with the edges inside of it.
    #[must_use]
    pub fn filter(mut self, keep: impl Fn(&Object) -> bool) -> Self {
        let mut moved = Vec::with_capacity(self.objects.len());
        let mut kept = 0;
        for object in &self.objects {
            moved.push(keep(object).then_some(kept));
            kept += u32::from(moved.last().is_some_and(Option::is_some));
        }
        let mut stays = moved.iter().map(Option::is_some);
        self.objects.retain(|_| stays.next().unwrap_or(false));
        let position = |old: u32| moved.get(old as usize).copied().flatten();
        self.edges.retain_mut(|edge| match (position(edge.from), position(edge.to)) {
            (Some(from), Some(to)) => {
                (edge.from, edge.to) = (from, to);
                true
            }
            _ => false,
        });
        self
    }

    /// Equal for equal schemas, on any server and any supported major version.
    pub fn fingerprint(&self) -> String {
        fingerprint::fingerprint(self)
    }

    /// Recognises the objects when the schema itself is no longer held.
    pub fn digests(&self) -> Digests {
        Digests::of(self)
    }

    /// True when every edge points at an object and the orders hold; a snapshot from a file may
    /// say anything.
    pub fn is_consistent(&self) -> bool {
        let count = self.objects.len();
        let ordered = self.objects.is_sorted_by(|a, b| a.id < b.id);
        let inside = |edge: &Edge| (edge.from as usize) < count && (edge.to as usize) < count;
        ordered && self.edges.is_sorted() && self.edges.iter().all(inside)
    }
}

impl Object {
    /// Without what does not count in comparisons.
    #[must_use]
    pub fn canonical(&self) -> Self {
        fingerprint::canonical(self)
    }

    /// The table, foreign table or partitioned table, when it is one.
    pub fn table(&self) -> Option<&Table> {
        match &self.body {
            Body::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Of a partition's index, or of the constraint that has it, the index that it is part of, as SQL.
    pub fn parent_index(&self) -> Option<&str> {
        match &self.body {
            Body::Index(index) => index.parent_index.as_deref(),
            Body::Constraint(constraint) => constraint.parent_index.as_deref(),
            _ => None,
        }
    }

    /// Columns of a table or view.
    pub fn columns(&self) -> &[Column] {
        match &self.body {
            Body::Table(table) => &table.columns,
            Body::View(view) | Body::MaterializedView(view) => &view.columns,
            Body::Composite(composite) => &composite.attributes,
            _ => &[],
        }
    }
}
