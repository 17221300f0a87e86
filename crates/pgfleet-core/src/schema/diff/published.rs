//! Tables whose rows logical replication must tell apart.
//!
//! Source: `CheckCmdReplicaIdentity` in src/backend/executor/execReplication.c: an UPDATE of a table that
//! is published with its updates and has no replica identity is refused.

use super::{Difference, parent_positions};
use crate::schema::{
    Body, Constraint, ConstraintKind, Kind, Object, ObjectId, Publication, ReplicaIdentity, Schema,
};

/// True when the server may refuse an UPDATE of a table (its positions in `from` and `to`) on the way from
/// the one schema to the other: publications come and go before it, an identity changes after it.
/// So it may be for a table that inherits from it, whose rows are updated with its own.
pub(super) fn refuses_updates(difference: &Difference<'_>, from: usize, to: usize) -> bool {
    let published = publishes(difference.from, from) || publishes(difference.to, to);
    let refuses = published && !stays_identified(difference, from, to);
    refuses || heirs(difference.to, to).any(|heir| heir_refuses(difference, heir))
}

fn heirs(schema: &Schema, at: usize) -> impl Iterator<Item = usize> {
    let name = schema.objects[at].id.sql_name();
    let tables = schema.objects.iter().enumerate();
    tables.filter_map(move |(at, object)| object.table()?.parents.contains(&name).then_some(at))
}

fn heir_refuses(difference: &Difference<'_>, to: usize) -> bool {
    match difference.from.position(&difference.to.objects[to].id) {
        Some(from) => refuses_updates(difference, from, to),
        None => publishes(difference.to, to),
    }
}

fn stays_identified(difference: &Difference<'_>, from: usize, to: usize) -> bool {
    let (old, new) = (&difference.from.objects[from], &difference.to.objects[to]);
    let (Some(had), Some(has)) = (old.table(), new.table()) else { return false };
    had.replica_identity == has.replica_identity
        && match &has.replica_identity {
            ReplicaIdentity::Nothing => false,
            ReplicaIdentity::Full => true,
            ReplicaIdentity::Index(index) => !difference.makes_index(new, index),
            ReplicaIdentity::Default => {
                key(difference.from, old).is_some_and(|at| !difference.drops.contains(&at))
            }
        }
}

/// Position of a table's primary key, by which rows are told apart unless it may be deferred
/// (`RelationGetIndexList` in src/backend/utils/cache/relcache.c).
fn key(schema: &Schema, table: &Object) -> Option<usize> {
    let first = ObjectId {
        table: table.id.name.clone(),
        ..ObjectId::new(Kind::Constraint, &table.id.schema, "")
    };
    let start = schema.objects.partition_point(|object| object.id < first);
    let of_table = |object: &&Object| {
        (object.id.kind, &object.id.schema, &object.id.table)
            == (first.kind, &first.schema, &first.table)
    };
    let is_key = |object: &Object| {
        matches!(
            &object.body,
            Body::Constraint(Constraint { kind: ConstraintKind::PrimaryKey, definition, .. })
                if !definition.contains(" DEFERRABLE")
        )
    };
    let mut own = schema.objects[start..].iter().take_while(of_table);
    own.position(is_key).map(|at| start + at)
}

fn publishes(schema: &Schema, at: usize) -> bool {
    let above = with_partitioned(schema, at);
    let names: Vec<String> = above.iter().map(|id| id.sql_name()).collect();
    // The order of kinds has them near the end.
    let last = schema.objects.iter().rev().take_while(|one| one.id.kind >= Kind::Publication);
    let publications = last.filter_map(|object| match &object.body {
        Body::Publication(publication) => Some(publication),
        _ => None,
    });
    let holds = |publication: &Publication| {
        publication.all_tables
            || above.iter().any(|id| publication.schemas.contains(&id.schema))
            || publication.tables.iter().any(|one| names.contains(&one.table))
    };
    let updates =
        |publication: &&Publication| publication.publish.iter().any(|one| one == "update");
    publications.filter(updates).any(holds)
}

/// A table with the partitioned tables above it: what is published of them, or of their schemas, holds for it
/// (`RelationBuildPublicationDesc` in src/backend/utils/cache/relcache.c).
fn with_partitioned(schema: &Schema, at: usize) -> Vec<&ObjectId> {
    let mut above = Vec::new();
    let mut next = Some(at);
    while let Some(at) = next {
        let object = &schema.objects[at];
        above.push(&object.id);
        let table = object.table().filter(|table| table.partition_bound.is_some());
        next = table.and_then(|table| parent_positions(schema, table).first().copied());
    }
    above
}
