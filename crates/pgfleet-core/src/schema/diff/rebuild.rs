//! What must be rebuilt because something below it is.
//!
//! PostgreSQL alters a column's type together with the indexes, constraints and statistics on it
//! (`ATExecAlterColumnType` in src/backend/commands/tablecmds.c) and refuses when a view, rule,
//! trigger, policy, routine, publication or generated column uses it: those are dropped before and
//! made anew after.

use std::collections::BTreeSet;

use super::{Difference, held};
use crate::schema::{
    Body, Column, Edge, Generated, Kind, Object, ObjectId, ReplicaIdentity, Schema, Table,
    same_text,
};

/// What must be taken off a table, domain or sequence and put back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRebuild {
    /// Columns that are dropped and added.
    pub columns: BTreeSet<String>,
    /// Columns whose default is dropped and set.
    pub defaults: BTreeSet<String>,
    /// Identity columns that become ordinary ones before the name of their sequence is taken.
    pub identities: BTreeSet<String>,
    /// Parents that the table leaves before they change, as SQL; of a partition, none.
    pub parents: Vec<String>,
    /// It is of a composite type, and leaves it before either changes.
    pub leaves_type: bool,
    /// Names of what the checks and the default of a domain use and may not.
    pub checks: BTreeSet<String>,
    /// Of a sequence: nobody owns it until its old owner is gone.
    pub owner: bool,
}

/// What became of something that others need.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Break {
    /// It is dropped and made anew.
    Gone,
    /// A column's type changes.
    Retyped(String),
    /// A column is dropped, and perhaps added again.
    ColumnGone(String),
    /// Rows get values while nothing may hold such rows (see [`super::rows`]).
    Rows,
}

/// Adds to a difference everything that must be rebuilt.
pub(super) fn spread(difference: &mut Difference<'_>) {
    let dependents = dependents(difference.from);
    replace_split_indexes(difference);
    super::inherited::renew_unchecked(difference);
    super::typed::loosen(difference);
    let mut work = first_breaks(difference, &dependents);
    while let Some((at, broken)) = work.pop() {
        for edge in &dependents[at] {
            if concerns(edge, &broken) {
                work.extend(break_dependent(difference, edge, &broken));
            }
        }
    }
    untangle(difference);
    free_names(difference);
    super::owned::free(difference);
    mark_again(difference);
}

/// A table that is clustered by an index which is made anew, or identifies its rows by it, says so again.
fn mark_again(difference: &mut Difference<'_>) {
    let (from, to) = (difference.from, difference.to);
    let tables =
        to.objects.iter().enumerate().filter_map(|(at, one)| Some((at, one, one.table()?)));
    for (at, object, table) in tables {
        let identity = match &table.replica_identity {
            ReplicaIdentity::Index(index) => Some(index),
            _ => None,
        };
        let mut marks = table.cluster_on.iter().chain(identity);
        let old = from.position(&object.id).filter(|old| !difference.drops.contains(old));
        if let Some(old) = old
            && marks.any(|index| difference.makes_index(object, index))
        {
            difference.alters.entry(at).or_insert(old);
        }
    }
}

/// An index that stays while a part of it goes is replaced: the part cannot go without it.
fn replace_split_indexes(difference: &mut Difference<'_>) {
    let (from, to) = (difference.from, difference.to);
    let mut split = Vec::new();
    for at in &difference.drops {
        let stays = |at: usize| to.position(&from.objects[at].id).is_some();
        let is_part = from.objects[*at].parent_index().is_some();
        let table = owner_position(from, &from.objects[*at]).filter(|table| {
            let same = |old: &Object, new: &Object| {
                old.table().map(|t| &t.parents) == new.table().map(|t| &t.parents)
            };
            let new = to.get(&from.objects[*table].id);
            !difference.drops.contains(table)
                && new.is_some_and(|new| same(&from.objects[*table], new))
        });
        if !is_part || table.is_none() {
            continue;
        }
        let needs = from.needs_of(*at).iter().map(|edge| edge.to as usize);
        let is_index = |at: &usize| {
            matches!(from.objects[*at].body, Body::Index(_) | Body::Constraint(_)) && stays(*at)
        };
        split.extend(needs.filter(is_index).filter(|at| !difference.drops.contains(at)));
    }
    for at in split {
        let Some(other) = to.position(&from.objects[at].id) else { continue };
        difference.drops.insert(at);
        difference.creates.insert(other);
        difference.alters.remove(&other);
    }
}

/// Takes off columns the identity whose sequence's name a new sequence shall have.
fn free_names(difference: &mut Difference<'_>) {
    let (from, to) = (difference.from, difference.to);
    for (new, old) in &difference.alters {
        let gone = from.objects[*old].columns().iter().filter(|column| {
            let other = to.objects[*new].columns().iter().find(|other| other.name == column.name);
            other.is_some_and(|other| other.identity.is_none())
        });
        for column in gone {
            let Some(identity) = &column.identity else { continue };
            let name = pgfleet_sql::parse_qualified(&identity.sequence_name);
            let sequence = name.and_then(|name| {
                to.position(&ObjectId::new(Kind::Sequence, &name.schema?, &name.name))
            });
            if sequence.is_some() {
                let rebuild = difference.rebuilds.entry(*old).or_default();
                rebuild.identities.insert(column.name.clone());
            }
        }
    }
}

/// Takes off tables that are dropped the defaults that use what needs the table itself: neither
/// could go first.
fn untangle(difference: &mut Difference<'_>) {
    let from = difference.from;
    let mut tangled = Vec::new();
    for at in difference.drops.iter().filter(|at| from.objects[**at].table().is_some()) {
        let needs = from.needs_of(*at).iter().filter(|edge| edge.from_column.is_some());
        let needs = needs.filter(|edge| difference.drops.contains(&(edge.to as usize)));
        let needs = needs.filter(|edge| leads_to(difference, edge.to as usize, *at));
        tangled.extend(needs.filter_map(|edge| Some((*at, edge.from_column.as_deref()?))));
    }
    for (at, name) in tangled {
        let column = from.objects[at].columns().iter().find(|column| column.name == name);
        let Some(column) = column.filter(|column| column.default.is_some()) else { continue };
        let rebuild = difference.rebuilds.entry(at).or_default();
        match column.generated {
            None => rebuild.defaults.insert(name.to_owned()),
            Some(_) => rebuild.columns.insert(name.to_owned()),
        };
    }
}

/// True when something that is dropped needs `goal`, itself or through others that are dropped.
pub(crate) fn leads_to(difference: &Difference<'_>, start: usize, goal: usize) -> bool {
    let mut seen = BTreeSet::from([start]);
    let mut work = vec![start];
    while let Some(at) = work.pop() {
        for edge in difference.from.needs_of(at) {
            let to = edge.to as usize;
            if to == goal && !owns(difference.from, edge) {
                return true;
            }
            if difference.drops.contains(&to) && seen.insert(to) {
                work.push(to);
            }
        }
    }
    false
}

/// Edges by what they point at.
fn dependents(schema: &Schema) -> Vec<Vec<&Edge>> {
    let mut dependents = vec![Vec::new(); schema.objects.len()];
    for edge in &schema.edges {
        dependents[edge.to as usize].push(edge);
    }
    dependents
}

fn first_breaks(difference: &mut Difference<'_>, dependents: &[Vec<&Edge>]) -> Vec<(usize, Break)> {
    let mut breaks: Vec<_> = difference.drops.iter().map(|at| (*at, Break::Gone)).collect();
    let pairs: Vec<_> = difference.alters.iter().map(|(to, from)| (*from, *to)).collect();
    for (from, to) in pairs {
        let (old, new) = (&difference.from.objects[from], &difference.to.objects[to]);
        match (&old.body, &new.body) {
            (Body::Table(before), Body::Table(after)) => {
                let parents = left_parents(before, after);
                if !parents.is_empty() {
                    difference.rebuilds.entry(from).or_default().parents = parents;
                }
                breaks.extend(column_breaks(difference, from, old, new));
            }
            _ if crate::schema::ddl::needs_retyping(old, new)
                || (retypes_attribute(old, new) && has_columns(difference, &dependents[from]))
                || (held::demands_more(old, new) && held::are_inside(difference.from, from)) =>
            {
                difference.retyped.insert(from);
                breaks.push((from, Break::Gone));
            }
            _ => {}
        }
    }
    breaks
}

/// The type of an attribute cannot be altered while columns have the composite type
/// (`find_composite_type_dependencies` in src/backend/commands/tablecmds.c).
fn retypes_attribute(old: &Object, new: &Object) -> bool {
    let find = |name: &str| new.columns().iter().find(|column| column.name == name);
    let differs =
        |column: &Column| find(&column.name).is_some_and(|other| changes_type(column, other));
    matches!(old.body, Body::Composite(_)) && old.columns().iter().any(differs)
}

/// True when a column that stays needs a type.
fn has_columns(difference: &Difference<'_>, dependents: &[&Edge]) -> bool {
    let from = difference.from;
    dependents.iter().any(|edge| {
        let object = &from.objects[edge.from as usize];
        edge.from_column.is_some()
            && object.table().is_some()
            && !difference.drops.contains(&(edge.from as usize))
    })
}

fn left_parents(old: &Table, new: &Table) -> Vec<String> {
    let stays = |parent: &&String| {
        new.parents.contains(parent) && old.partition_bound == new.partition_bound
    };
    match old.partition_bound {
        Some(_) => Vec::new(),
        None => old.parents.iter().filter(|parent| !stays(parent)).cloned().collect(),
    }
}

fn column_breaks(
    difference: &mut Difference<'_>,
    at: usize,
    old: &Object,
    new: &Object,
) -> Vec<(usize, Break)> {
    let mut breaks = Vec::new();
    for column in old.columns() {
        let name = column.name.clone();
        match new.columns().iter().find(|other| other.name == column.name) {
            None => {
                if goes_first(column) {
                    difference.rebuilds.entry(at).or_default().columns.insert(name.clone());
                }
                breaks.push((at, Break::ColumnGone(name)));
            }
            Some(other) if must_readd(column, other) => {
                difference.rebuilds.entry(at).or_default().columns.insert(name.clone());
                breaks.push((at, Break::ColumnGone(name)));
            }
            Some(other) if changes_type(column, other) => breaks.push((at, Break::Retyped(name))),
            Some(_) => {}
        }
    }
    if super::rows::are_written(difference.to, old, new) {
        breaks.push((at, Break::Rows));
    }
    breaks
}

/// A generated column may use one that goes with a parent's, or whose type is made anew.
fn goes_first(column: &Column) -> bool {
    column.generated.is_some() && !column.inherited
}

fn same_expression(old: &Column, new: &Column) -> bool {
    old.default.as_deref().zip(new.default.as_deref()).is_none_or(|(a, b)| same_text(a, b))
}

fn changes_type(old: &Column, new: &Column) -> bool {
    old.type_name != new.type_name || old.collation != new.collation
}

/// Generated columns cannot be altered into or from ordinary ones without losing their expression, virtual
/// ones not at all, and their expression cannot be altered before PostgreSQL 17.
fn must_readd(old: &Column, new: &Column) -> bool {
    let computed = old.generated.is_some() && new.generated.is_some();
    let becomes_computed = old.generated.is_none() && new.generated.is_some();
    let has_no_values = old.generated == Some(Generated::Virtual) && new.generated.is_none();
    becomes_computed
        || has_no_values
        || (computed && (old.generated != new.generated || !same_expression(old, new)))
        || (computed && changes_type(old, new))
}

fn concerns(edge: &Edge, broken: &Break) -> bool {
    match broken {
        Break::Gone => true,
        Break::Retyped(column) | Break::ColumnGone(column) => {
            edge.to_column.as_deref() == Some(column)
        }
        Break::Rows => super::rows::are_held(edge),
    }
}

/// Marks a dependent for rebuilding, when it stays at all, and gives what that breaks in turn.
fn break_dependent(
    difference: &mut Difference<'_>,
    edge: &Edge,
    broken: &Break,
) -> Vec<(usize, Break)> {
    let at = edge.from as usize;
    let object = &difference.from.objects[at];
    let Some(to) = difference.to.position(&object.id) else { return Vec::new() };
    if difference.drops.contains(&at) {
        return Vec::new();
    }
    if owns(difference.from, edge) {
        return break_sequence(difference, edge, broken, to);
    }
    match (&object.body, &edge.from_column) {
        // A view holds none itself.
        (Body::View(_), _) if *broken == Break::Rows => vec![(at, Break::Rows)],
        (body, _) if *broken == Break::Rows && !matches!(body, Body::MaterializedView(_)) => {
            Vec::new()
        }
        (Body::Table(_), Some(column)) => break_column(difference, edge, column, broken, to),
        (Body::Table(_), None) if *broken != Break::Gone => Vec::new(),
        (Body::Table(table), None) if table.of_type.is_some() && is_type(difference, edge) => {
            difference.alters.entry(to).or_insert(at);
            difference.rebuilds.entry(at).or_default().leaves_type = true;
            Vec::new()
        }
        (Body::Domain(domain), _)
            if !is_type(difference, edge)
                && !is_collated(difference, edge, domain.collation.as_ref()) =>
        {
            difference.alters.entry(to).or_insert(at);
            let needed = difference.from.objects[edge.to as usize].id.name.clone();
            difference.rebuilds.entry(at).or_default().checks.insert(needed);
            match held::are_inside(difference.from, at) {
                true => break_type(difference, edge, to),
                false => Vec::new(),
            }
        }
        _ if object.id.kind.is_type() => break_type(difference, edge, to),
        _ if !is_affected(object, broken) => Vec::new(),
        _ => replace(difference, at, to),
    }
}

fn replace(difference: &mut Difference<'_>, at: usize, to: usize) -> Vec<(usize, Break)> {
    difference.drops.insert(at);
    difference.creates.insert(to);
    difference.alters.remove(&to);
    vec![(at, Break::Gone)]
}

/// A sequence goes with the column that owns it, and comes again when the column does.
fn break_sequence(
    difference: &mut Difference<'_>,
    edge: &Edge,
    broken: &Break,
    to: usize,
) -> Vec<(usize, Break)> {
    let at = edge.from as usize;
    let owner = |object: &Object| match &object.body {
        Body::Sequence(sequence) => sequence.owned_by.clone(),
        _ => None,
    };
    let [had, has] = [&difference.from.objects[at], &difference.to.objects[to]].map(owner);
    if had != has || matches!(broken, Break::Retyped(_)) {
        return Vec::new();
    }
    replace(difference, at, to)
}

/// A type over a type that is made anew is made anew too, under the columns that have it; over one that
/// goes it has changed itself.
fn break_type(difference: &mut Difference<'_>, edge: &Edge, to: usize) -> Vec<(usize, Break)> {
    let at = edge.from as usize;
    if !is_made_anew(difference, edge) || !difference.retyped.insert(at) {
        return Vec::new();
    }
    difference.alters.entry(to).or_insert(at);
    vec![(at, Break::Gone)]
}

fn is_type(difference: &Difference<'_>, edge: &Edge) -> bool {
    difference.from.objects[edge.to as usize].id.kind.is_type()
}

/// True when what is needed is the collation of a column or domain itself.
fn is_collated(difference: &Difference<'_>, edge: &Edge, collation: Option<&String>) -> bool {
    let needed = &difference.from.objects[edge.to as usize].id;
    needed.kind == Kind::Collation && collation == Some(&needed.sql_name())
}

/// PostgreSQL itself rebuilds indexes, constraints and statistics when a type changes, but for how much
/// `ANALYZE` shall look at for them.
fn is_affected(object: &Object, broken: &Break) -> bool {
    let rebuilt = match &object.body {
        Body::Index(index) => index.statistics.is_empty(),
        Body::Statistics(statistics) => statistics.target.is_none(),
        Body::Constraint(_) => true,
        _ => false,
    };
    !(rebuilt && matches!(broken, Break::Retyped(_)))
}

fn break_column(
    difference: &mut Difference<'_>,
    edge: &Edge,
    name: &str,
    broken: &Break,
    to: usize,
) -> Vec<(usize, Break)> {
    let at = edge.from as usize;
    let find = |object: &Object| object.columns().iter().find(|c| c.name == name).cloned();
    let Some(column) = find(&difference.from.objects[at]) else { return Vec::new() };
    let name = name.to_owned();
    // A default or expression may use what the column itself is not of.
    let is_of_it =
        is_type(difference, edge) || is_collated(difference, edge, column.collation.as_ref());
    let is_retyped = is_of_it && difference.retyped.contains(&(edge.to as usize));
    let table = difference.from.objects[at].table();
    if is_retyped && table.is_some_and(|table| table.is_in_partition_key(&name)) {
        return replace(difference, at, to);
    }
    if *broken == Break::Gone && is_retyped {
        return vec![(at, Break::Retyped(name)), (at, Break::Rows)];
    }
    if find(&difference.to.objects[to]).is_none() {
        if *broken == Break::Gone && is_made_anew(difference, edge) {
            difference.rebuilds.entry(at).or_default().columns.insert(name);
        }
        return Vec::new();
    }
    difference.alters.entry(to).or_insert(at);
    let rebuild = difference.rebuilds.entry(at).or_default();
    if column.generated.is_none() {
        rebuild.defaults.insert(name);
        return Vec::new();
    }
    match rebuild.columns.insert(name.clone()) {
        true => vec![(at, Break::ColumnGone(name)), (at, Break::Rows)],
        false => Vec::new(),
    }
}

/// What is needed goes and comes again: what needs it must go before that.
fn is_made_anew(difference: &Difference<'_>, edge: &Edge) -> bool {
    difference.to.position(&difference.from.objects[edge.to as usize].id).is_some()
}

/// A sequence does not need the column that owns it.
pub(crate) fn owns(schema: &Schema, edge: &Edge) -> bool {
    let sequence = &schema.objects[edge.from as usize];
    let table = &schema.objects[edge.to as usize];
    match &sequence.body {
        Body::Sequence(body) => body
            .owned_by
            .as_ref()
            .is_some_and(|owner| owner.schema == table.id.schema && owner.table == table.id.name),
        _ => false,
    }
}

pub(crate) fn table_position(schema: &Schema, namespace: &str, name: &str) -> Option<usize> {
    let kinds = [Kind::Table, Kind::View, Kind::MaterializedView, Kind::ForeignTable];
    kinds.into_iter().find_map(|kind| schema.position(&ObjectId::new(kind, namespace, name)))
}

/// The table or view that a part belongs to.
pub(crate) fn owner_position(schema: &Schema, object: &Object) -> Option<usize> {
    if object.id.kind.is_part() {
        return table_position(schema, &object.id.schema, &object.id.table);
    }
    let Body::Index(index) = &object.body else { return None };
    let name = pgfleet_sql::parse_qualified(&index.table)?;
    table_position(schema, name.schema.as_deref()?, &name.name)
}
