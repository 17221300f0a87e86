//! What of a difference is done in steps that let readers and writers go on.
//!
//! Only what exists before the change is spared: a new table has no readers yet. Sources: the pages
//! of `CREATE INDEX`, `DROP INDEX` and `ALTER TABLE` in PostgreSQL's documentation; a validated
//! check spares `SET NOT NULL` its look at the rows since PostgreSQL 12.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::classify::classify;
use pgfleet_sql::quote_ident;

use super::{Difference, owner_position, published};
use crate::schema::{
    Body, Column, Constraint, ConstraintKind, Edge, Kind, Object, ObjectId, Schema, Table,
};

/// PostgreSQL cuts names after this many bytes.
const NAME_MAX_BYTES: usize = 63;

/// What is done online. Empty: nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Online {
    /// Positions in `to` of indexes that are built concurrently.
    pub indexes: BTreeSet<usize>,
    /// Positions in `from` of indexes that are dropped concurrently.
    pub dropped_indexes: BTreeSet<usize>,
    /// Positions in `from` of indexes that make way by another name until the new one is there.
    pub replaced_indexes: BTreeSet<usize>,
    /// Positions in `to` of keys whose index is built concurrently first, with its name then.
    pub keys: BTreeMap<usize, String>,
    /// Positions in `to` of checks and foreign keys that are validated after they are there.
    pub validated: BTreeSet<usize>,
    /// By position in `to` of the table: columns that become NOT NULL by a validated check.
    pub not_null: BTreeMap<usize, BTreeSet<String>>,
    /// By position in `to` of the table: new columns whose default is computed for every row, which
    /// are filled after they are there.
    pub filled: BTreeMap<usize, BTreeSet<String>>,
}

impl Online {
    /// What of a difference can be done online.
    pub(super) fn of(difference: &Difference<'_>) -> Self {
        let mut online = Self::default();
        let finder = Finder { difference };
        difference.creates.iter().for_each(|at| finder.look_at_created(*at, &mut online));
        for at in &difference.drops {
            if finder.drops_concurrently(*at) && !online.replaced_indexes.contains(at) {
                online.dropped_indexes.insert(*at);
            }
        }
        for (to, from) in &difference.alters {
            let (old, new) = (&difference.from.objects[*from], &difference.to.objects[*to]);
            if let (Some(old), Some(new)) = (old.table(), new.table()) {
                finder.look_at_columns(*to, *from, old, new, &mut online);
            }
        }
        online
    }

    /// True when a table's column becomes NOT NULL later.
    pub fn tightens(&self, at: usize, column: &str) -> bool {
        self.not_null.get(&at).is_some_and(|columns| columns.contains(column))
    }

    /// True when a table's new column is filled later.
    pub fn fills(&self, at: usize, column: &str) -> bool {
        self.filled.get(&at).is_some_and(|columns| columns.contains(column))
    }
}

struct Finder<'d, 's> {
    difference: &'d Difference<'s>,
}

impl Finder<'_, '_> {
    fn look_at_created(&self, at: usize, online: &mut Online) {
        let object = &self.difference.to.objects[at];
        let Some(table) = self.standing_table(at) else { return };
        match &object.body {
            Body::Index(index) if !index.partitioned && index.valid => {
                online.indexes.insert(at);
                let old = self.difference.from.position(&object.id);
                online.replaced_indexes.extend(old.filter(|old| self.drops_concurrently(*old)));
            }
            Body::Constraint(constraint) => match constraint.kind {
                ConstraintKind::Check | ConstraintKind::ForeignKey => {
                    if can_wait(constraint, table) {
                        online.validated.insert(at);
                    }
                }
                ConstraintKind::PrimaryKey | ConstraintKind::Unique => {
                    online.keys.extend(self.key_index(at, object, constraint, table));
                }
                ConstraintKind::Exclusion => {}
            },
            _ => {}
        }
    }

    /// The table of an object of `to`, when it is there before and stays.
    fn standing_table(&self, at: usize) -> Option<&Object> {
        let to = self.difference.to;
        let owner = owner_position(to, &to.objects[at])?;
        let stands = !self.difference.creates.contains(&owner)
            && self.difference.from.position(&to.objects[owner].id).is_some();
        stands.then(|| &to.objects[owner])
    }

    /// Position of a key with the name under which its index is built; a key that replaces another
    /// of its name is built beside it.
    fn key_index(
        &self,
        at: usize,
        object: &Object,
        constraint: &Constraint,
        table: &Object,
    ) -> Option<(usize, String)> {
        let partitioned =
            table.table()?.partition_key.is_some() || constraint.parent_index.is_some();
        if partitioned || constraint.inherited || constraint.definition.contains("WITHOUT OVERLAPS")
        {
            return None;
        }
        let taken = |name: &str| {
            let id = |kind| ObjectId::new(kind, &object.id.schema, name);
            let relation = [Kind::Index, Kind::Table, Kind::Sequence, Kind::View]
                .into_iter()
                .any(|kind| self.difference.from.position(&id(kind)).is_some());
            relation || is_constraint_name(self.difference.from, &object.id.schema, name)
        };
        let name = &object.id.name;
        let built = if taken(name) { with_suffix(name, "__new") } else { name.clone() };
        let replaced = self.difference.from.position(&object.id);
        let free = replaced.is_none_or(|old| self.is_free(old));
        (free && !(built != *name && taken(&built))).then_some((at, built))
    }

    fn drops_concurrently(&self, at: usize) -> bool {
        let Body::Index(index) = &self.difference.from.objects[at].body else { return false };
        self.difference.drops.contains(&at)
            && index.parent_index.is_none()
            && !index.partitioned
            && self.difference.goes_with(at).is_none()
            && self.is_free(at)
    }

    /// True when nothing that an object of `from` needs goes away or changes its type.
    fn is_free(&self, at: usize) -> bool {
        let from = self.difference.from;
        let mut edges = from.edges.iter().filter(|edge| edge.from as usize == at);
        edges.all(|edge| self.stays(edge))
    }

    fn stays(&self, edge: &Edge) -> bool {
        let (from, needed) = (self.difference.from, edge.to as usize);
        if self.difference.drops.contains(&needed) || self.difference.retyped.contains(&needed) {
            return false;
        }
        let Some(column) = edge.to_column.as_deref() else { return true };
        let find = |object: &Object| object.columns().iter().find(|c| c.name == column).cloned();
        let old = find(&from.objects[needed]);
        let new = self.difference.to.get(&from.objects[needed].id).and_then(find);
        let same_type = match (old, new) {
            (Some(old), Some(new)) => {
                (&old.type_name, &old.collation) == (&new.type_name, &new.collation)
            }
            _ => false,
        };
        let rebuilt = self.difference.rebuilds.get(&needed);
        same_type && rebuilt.is_none_or(|rebuild| !rebuild.columns.contains(column))
    }

    fn look_at_columns(
        &self,
        to: usize,
        from: usize,
        old: &Table,
        new: &Table,
        online: &mut Online,
    ) {
        let moved = old.parents != new.parents || old.partition_bound != new.partition_bound;
        if moved || new.foreign.is_some() {
            return;
        }
        let rebuild = self.difference.rebuilds.get(&from);
        let object = &self.difference.to.objects[to];
        let can_fill = || !published::refuses_updates(self.difference, from, to);
        for column in new.columns.iter().filter(|column| !column.inherited) {
            if rebuild.is_some_and(|rebuild| rebuild.columns.contains(&column.name)) {
                continue;
            }
            match old.columns.iter().find(|other| other.name == column.name) {
                None if is_computed_for_every_row(object, column) && can_fill() => {
                    online.filled.entry(to).or_default().insert(column.name.clone());
                    if column.not_null {
                        online.not_null.entry(to).or_default().insert(column.name.clone());
                    }
                }
                Some(had) if becomes_not_null(had, column) => {
                    online.not_null.entry(to).or_default().insert(column.name.clone());
                }
                _ => {}
            }
        }
    }
}

/// The schema of a constraint's index is the table's.
fn is_constraint_name(schema: &Schema, namespace: &str, name: &str) -> bool {
    schema.objects.iter().any(|object| {
        object.id.kind == Kind::Constraint
            && object.id.schema == namespace
            && object.id.name == name
    })
}

/// `NOT VALID` is not for foreign keys of partitioned tables, and `NOT ENFORCED` needs no look.
fn can_wait(constraint: &Constraint, table: &Object) -> bool {
    let partitioned = table.table().is_some_and(|table| table.partition_key.is_some());
    let is_key = constraint.kind == ConstraintKind::ForeignKey;
    let said =
        ["NOT VALID", "NOT ENFORCED"].iter().any(|word| constraint.definition.contains(word));
    let looked_at = constraint.validated && !constraint.inherited && !said;
    looked_at && !(is_key && partitioned)
}

/// A changed type reads all rows under its lock anyway; an identity must be NOT NULL at once.
fn becomes_not_null(old: &Column, new: &Column) -> bool {
    let same = (&old.type_name, &old.collation) == (&new.type_name, &new.collation);
    !old.not_null && new.not_null && same && new.identity == old.identity && new.generated.is_none()
}

/// A default that is not the same for all rows makes `ADD COLUMN` write the table anew.
fn is_computed_for_every_row(table: &Object, column: &Column) -> bool {
    if column.identity.is_some() || column.generated.is_some() {
        return false;
    }
    let Some(default) = &column.default else { return false };
    let (table, name) = (table.id.sql_name(), quote_ident(&column.name));
    let sql =
        format!("ALTER TABLE {table} ADD COLUMN {name} {} DEFAULT {default}", column.type_name);
    classify(&sql).rewrites.is_some()
}

/// A name with a suffix, cut where PostgreSQL would cut it, at the end of a character.
pub(crate) fn with_suffix(name: &str, suffix: &str) -> String {
    let mut end = name.len().min(NAME_MAX_BYTES - suffix.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &name[..end])
}
