//! What PostgreSQL makes with a range type and leaves its name when the range gets another one: the
//! multirange type, and the constructors of both.

use pgfleet_sql::parse_qualified;

use super::step::{NewName, RenameOrigin, RenameStep, Thing};
use crate::schema::{Body, Kind, ObjectId, RangeType, Schema};

/// The renames of what the second schema has under other names, of ranges that were renamed: multiranges,
/// and once those are right, constructors, whose arguments they are.
pub(super) fn follow(now: &Schema, to: &Schema, done: &[RenameStep]) -> Vec<RenameStep> {
    let results = done.iter().map(RenameStep::result);
    let ranges: Vec<_> = results
        .filter_map(|thing| match thing {
            Thing::Object(id) if id.kind == Kind::Range => Some(id),
            _ => None,
        })
        .filter_map(|id| Some((range(now, &id)?, range(to, &id)?, id)))
        .collect();
    let multiranges = ranges.iter().filter_map(|(has, wanted, _)| {
        let [has, wanted] = [has, wanted].map(|range| range.multirange().and_then(parse_qualified));
        let id = |name: pgfleet_sql::QualifiedName| {
            Some(ObjectId::new(Kind::Range, &name.schema?, &name.name))
        };
        Some(moved(id(has?)?, &id(wanted?)?))
    });
    let multiranges: Vec<_> = multiranges.flatten().collect();
    match multiranges.is_empty() {
        true => ranges.iter().flat_map(constructors).collect(),
        false => multiranges,
    }
}

fn range<'s>(schema: &'s Schema, id: &ObjectId) -> Option<&'s RangeType> {
    match &schema.get(id)?.body {
        Body::Range(range) => Some(range),
        _ => None,
    }
}

fn constructors((has, wanted, id): &(&RangeType, &RangeType, ObjectId)) -> Vec<RenameStep> {
    let own = id.sql_name();
    let pairs = has.constructors(&own).into_iter().zip(wanted.constructors(&own));
    let function = |(name, signature): (&str, String)| {
        let name = parse_qualified(name)?;
        let id = ObjectId::new(Kind::Function, &name.schema?, &name.name);
        Some(ObjectId { signature, ..id })
    };
    let pairs = pairs.filter_map(|(has, wanted)| Some((function(has)?, function(wanted)?)));
    pairs.flat_map(|(has, wanted)| moved(has, &wanted)).collect()
}

fn moved(id: ObjectId, wanted: &ObjectId) -> Vec<RenameStep> {
    let origin = RenameOrigin::Followed;
    let mut steps = Vec::new();
    let mut thing = Thing::Object(id);
    if thing.name() != wanted.name {
        let to = NewName::Name(wanted.name.clone());
        steps.push(RenameStep { thing: thing.clone(), to, origin });
        thing = thing.called(&wanted.name);
    }
    if thing.object().schema != wanted.schema {
        steps.push(RenameStep { thing, to: NewName::Schema(wanted.schema.clone()), origin });
    }
    steps
}
