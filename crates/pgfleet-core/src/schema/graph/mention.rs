//! What the text of routines names.
//!
//! The catalog knows no dependency of a body that is a string: such a routine can be made before what
//! it names is there, and fails when it is called: by a materialized view that is filled, a check
//! that is tried, an index that is built. So it rather comes after. A name may mean something else,
//! which is why this is a wish and no order.

use std::collections::{BTreeSet, HashMap};

use crate::schema::{Body, Kind, Schema};

/// Of some objects, each routine with what its body names among them.
pub(super) fn pairs<I: Iterator<Item = usize>>(
    schema: &Schema,
    made: impl Fn() -> I,
) -> BTreeSet<(usize, usize)> {
    let is_routine = |at: &usize| matches!(schema.objects[*at].body, Body::Routine(_));
    let mut routines = made().filter(is_routine).peekable();
    if routines.peek().is_none() {
        return BTreeSet::new();
    }
    let mut names: HashMap<&str, Vec<usize>> = HashMap::new();
    for at in made().filter(|at| is_named(schema.objects[*at].id.kind)) {
        names.entry(schema.objects[at].id.name.as_str()).or_default().push(at);
    }
    let named = |at: usize| {
        let Body::Routine(routine) = &schema.objects[at].body else { return Vec::new() };
        let words = words(&routine.definition).filter_map(|word| names.get(word)).flatten();
        words.filter(|named| **named != at).map(|named| (at, *named)).collect()
    };
    routines.flat_map(named).collect()
}

fn is_named(kind: Kind) -> bool {
    kind.is_type()
        || matches!(
            kind,
            Kind::Function
                | Kind::Procedure
                | Kind::Aggregate
                | Kind::Sequence
                | Kind::Table
                | Kind::ForeignTable
                | Kind::View
                | Kind::MaterializedView
        )
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c == '_' || c == '$' || c.is_alphanumeric())).filter(|w| !w.is_empty())
}
