//! The names that exist at a moment of the folder, and how sure that is.
//!
//! Invariant: a name is missing for certain only while nothing has run that could have created it
//! unseen; [`World::stand`] says which of the two it is.

mod columns;
mod key;

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::{Facts, Kind, ObjectKind, ObjectRef, QualifiedName, Rename, Transaction};

use super::{Here, KnownObjects};
use crate::place::Place;
use crate::program::Statement;

use columns::Columns;
pub(super) use columns::Table;
pub(crate) use columns::spelled;
pub(super) use key::{Class, Key};

/// How a name stands at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It exists, or nothing can be said.
    There,
    /// It does not exist now; what follows says so for certain or not.
    Missing(Missing),
}

/// A name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// Where a later statement creates it.
    pub later: Option<Place>,
    /// Where an earlier statement dropped it.
    pub dropped: Option<Place>,
    /// What may have created it unseen.
    pub doubt: Option<Doubt>,
}

/// A statement whose effects cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    /// Its command.
    pub label: String,
    /// Where it stands; none for what was there before the folder.
    pub place: Option<Place>,
}

/// How a name came to be.
#[derive(Debug, Clone, Default)]
struct Origin {
    /// Where the folder creates it; none for what was there before the folder.
    place: Option<Place>,
    /// Counts all statements of the folder.
    order: usize,
}

/// All names at a moment.
pub(super) struct World<'a> {
    known: &'a KnownObjects,
    there: BTreeMap<Key, Origin>,
    dropped: BTreeMap<Key, Place>,
    /// Every creation in the folder, with the number of its statement.
    creations: BTreeMap<Key, Vec<(usize, &'a Place)>>,
    /// The statement that is looked at.
    order: usize,
    /// The last statement that may have dropped more than it names.
    cascade: Option<usize>,
    columns: Columns,
    doubt: Option<Doubt>,
    extensions: bool,
    other_path: bool,
}

impl<'a> World<'a> {
    pub(super) fn new(
        known: &'a KnownObjects,
        statements: impl Iterator<Item = &'a Statement>,
    ) -> Self {
        let mut creations: BTreeMap<Key, Vec<_>> = BTreeMap::new();
        for (order, statement) in statements.enumerate() {
            for key in created_keys(&statement.facts) {
                creations.entry(key).or_default().push((order, &statement.place));
            }
        }
        Self {
            known,
            there: known.names().map(|key| (key.clone(), Origin::default())).collect(),
            dropped: BTreeMap::new(),
            creations,
            order: 0,
            cascade: None,
            columns: Columns::default(),
            doubt: known.is_open().then(|| Doubt { label: String::new(), place: None }),
            extensions: known.has_extensions(),
            other_path: false,
        }
    }

    /// How a name stands before the statement that is looked at.
    pub(super) fn stand(&self, key: &Key) -> Standing {
        if self.there.contains_key(key) || self.is_beyond_sight(key) {
            return Standing::There;
        }
        Standing::Missing(Missing {
            later: self.created_later(key),
            dropped: self.dropped.get(key).cloned(),
            doubt: self.doubt.clone(),
        })
    }

    /// Where the folder creates it first, when it exists for that reason.
    pub(super) fn place_of(&self, key: &Key) -> Option<&Place> {
        self.there.get(key)?.place.as_ref()
    }

    /// Where the folder creates it, when it must still be there: nothing has run since that could
    /// have dropped it unseen.
    pub(super) fn surely_there(&self, key: &Key) -> Option<&Place> {
        let origin = self.there.get(key)?;
        let certain = self.doubt.is_none() && !self.other_path;
        let kept = self.cascade.is_none_or(|cascade| cascade < origin.order);
        origin.place.as_ref().filter(|_| certain && kept)
    }

    /// The tables that the folder created and that are still there, as far as can be told: the
    /// number of the creating statement, name, columns, place.
    pub(super) fn tables_left(&self) -> Vec<(usize, QualifiedName, Vec<String>, Place)> {
        if self.other_path {
            return Vec::new();
        }
        let left = self.there.iter().filter_map(|(key, origin)| {
            let table = self.columns.table(key)?;
            let kept = self.cascade.is_none_or(|cascade| cascade < origin.order);
            let place = origin.place.clone().filter(|_| kept)?;
            Some((origin.order, key.qualified_name(), table.column_names(), place))
        });
        left.collect()
    }

    /// The columns of a table that the folder creates.
    pub(super) fn table(&self, key: &Key) -> Option<&Table> {
        self.columns.table(key)
    }

    /// A name of the same class that is nearly the same, for a hint.
    pub(super) fn nearest(&self, key: &Key) -> Option<&Key> {
        let names: BTreeSet<&Key> = self.there.keys().chain(self.creations.keys()).collect();
        key.nearest(names.into_iter())
    }

    fn created_later(&self, key: &Key) -> Option<Place> {
        let creations = self.creations.get(key)?;
        creations.iter().find(|(order, _)| *order > self.order).map(|(_, place)| (*place).clone())
    }

    /// Names of PostgreSQL itself, of extensions, of schemas that somebody else fills, and names
    /// without a schema once the search path is another one.
    fn is_beyond_sight(&self, key: &Key) -> bool {
        let schema = key.schema_name();
        if key.is_system() || self.known.is_opaque(schema) || (self.other_path && !key.qualified) {
            return true;
        }
        let own_schema = schema == "public" || self.creations.contains_key(&Key::schema(schema));
        match key.class {
            _ if !self.extensions => false,
            Class::Function | Class::Type | Class::Schema => true,
            Class::Relation => !own_schema || key.is_of_common_extension(),
            _ => false,
        }
    }

    /// Runs a statement.
    pub(super) fn take(&mut self, here: Here<'_>) {
        let Statement { facts, place, .. } = here.statement;
        self.order = here.order + 1;
        self.columns.take(here.statement);
        for object in &facts.drops {
            self.remove(object, place);
        }
        for key in created_keys(facts) {
            self.dropped.remove(&key);
            // The first creation counts: a second one with IF NOT EXISTS does nothing.
            let origin = Origin { place: Some(place.clone()), order: here.order };
            self.there.entry(key).or_insert(origin);
        }
        if let Some(rename) = &facts.rename {
            self.rename(rename, place);
        }
        if drops_unseen(here.statement) {
            self.cascade = Some(here.order);
        }
        self.other_path |= facts.sets_search_path || sets_path_by_function(here.statement);
        self.extensions |= facts.label == "CREATE EXTENSION";
        if self.doubt.is_none() && self.may_create_unseen(here.statement) {
            let label = facts.label.clone();
            self.doubt = Some(Doubt { label, place: Some(place.clone()) });
        }
    }

    /// The name goes, with what is in the schema or belongs to the table.
    fn remove(&mut self, object: &ObjectRef, place: &Place) {
        let Some(key) = Key::of(object) else { return };
        let gone: Vec<_> =
            self.there.keys().filter(|other| other.goes_with(&key)).cloned().collect();
        for other in gone.into_iter().chain([key]) {
            self.there.remove(&other);
            self.dropped.insert(other, place.clone());
        }
    }

    /// The old name goes, and what belongs to a table goes on under the new one.
    fn rename(&mut self, rename: &Rename, place: &Place) {
        let Some(old) = Key::of(&rename.from) else { return };
        let new = Key::named(old.class, &rename.to);
        let parts: Vec<_> =
            self.there.keys().filter(|part| part.is_part_of(&old)).cloned().collect();
        for part in parts {
            let origin = self.there.remove(&part).unwrap_or_default();
            self.there.insert(part.moved_to(&new), origin);
        }
        self.there.remove(&old);
        self.dropped.insert(old, place.clone());
    }

    fn may_create_unseen(&self, statement: &Statement) -> bool {
        let facts = &statement.facts;
        facts.opaque
            || facts.label == "IMPORT FOREIGN SCHEMA"
            || (facts.kind == Kind::Read && self.calls_own_function(&statement.sql))
    }

    /// `SELECT my_function()`: a function of the folder, or one in another schema (an extension's).
    fn calls_own_function(&self, sql: &str) -> bool {
        let called = |(at, _): (usize, &str)| {
            let before = sql[..at].trim_end();
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"');
            let start = before.rfind(|c: char| !is_name(c)).map_or(0, |at| at + 1);
            before.get(start..).and_then(pgfleet_sql::parse_qualified)
        };
        let mut names = sql.match_indices('(').filter_map(called);
        names.any(|name| {
            let key = Key::named(Class::Function, &name);
            let foreign = name.schema.as_deref().is_some_and(|schema| schema != "pg_catalog");
            foreign || self.there.contains_key(&key) || name.name.starts_with("create_")
        })
    }
}

/// A DROP with CASCADE, or a ROLLBACK.
fn drops_unseen(statement: &Statement) -> bool {
    let facts = &statement.facts;
    if facts.transaction == Transaction::Rollback || facts.label == "ROLLBACK TO SAVEPOINT" {
        return true;
    }
    !facts.drops.is_empty()
        && pgfleet_sql::bare_words(&statement.sql).iter().any(|word| word == "CASCADE")
}

/// What a statement creates under a name of its own, new names included.
fn created_keys(facts: &Facts) -> impl Iterator<Item = Key> {
    let renamed = facts.rename.as_ref().and_then(|rename| {
        let kind = rename.from.kind;
        let moved = !matches!(kind, ObjectKind::Column | ObjectKind::Constraint);
        let object = ObjectRef { kind, name: rename.to.clone(), on: rename.from.on.clone() };
        Key::of(&object).filter(|_| moved)
    });
    facts.creates.iter().filter_map(Key::of).chain(renamed)
}

/// `SELECT pg_catalog.set_config('search_path', …)`, as pg_dump writes it.
fn sets_path_by_function(statement: &Statement) -> bool {
    let sql = &statement.sql;
    sql.len() < 4096 && sql.contains("set_config") && sql.contains("search_path")
        || statement.facts.label == "ALTER DATABASE" && sql.contains("search_path")
        || statement.facts.label == "ALTER ROLE" && sql.contains("search_path")
}
