//! Domains whose values are held inside of other types: of arrays, composite types and ranges.
//!
//! Source: `get_rels_with_domain` in src/backend/commands/typecmds.c. PostgreSQL looks at the columns of a
//! domain before it demands more of its values, cannot look inside of others, and refuses. Such a domain is
//! made anew, and its values are looked at as they are read.

use crate::schema::{Body, DomainType, Object, Schema};

/// True when a domain demands of its values what it did not demand before.
pub(super) fn demands_more(old: &Object, new: &Object) -> bool {
    let (Body::Domain(old), Body::Domain(new)) = (&old.body, &new.body) else { return false };
    let has = |old: &DomainType, definition: &str| {
        old.constraints.iter().any(|check| check.definition == definition)
    };
    let looked_at = new.constraints.iter().filter(|check| !check.definition.ends_with("NOT VALID"));
    (new.not_null && !old.not_null) || looked_at.into_iter().any(|one| !has(old, &one.definition))
}

/// True when rows have values of a domain, or of one over it, inside of others.
pub(super) fn are_inside(schema: &Schema, domain: usize) -> bool {
    let mut edges = schema.edges.iter().filter(|edge| edge.to as usize == domain);
    edges.any(|edge| {
        let at = edge.from as usize;
        let object = &schema.objects[at];
        let column = edge.from_column.as_deref();
        let is_array = || {
            let mut columns = object.columns().iter();
            columns.any(|one| Some(one.name.as_str()) == column && one.type_name.ends_with(']'))
        };
        match &object.body {
            Body::Table(_) | Body::MaterializedView(_) => is_array(),
            Body::Domain(_) => are_inside(schema, at),
            _ => object.id.kind.is_type() && are_kept(schema, at),
        }
    })
}

/// True when rows have values of a type, or of one over it.
fn are_kept(schema: &Schema, at: usize) -> bool {
    let mut edges = schema.edges.iter().filter(|edge| edge.to as usize == at);
    edges.any(|edge| match &schema.objects[edge.from as usize].body {
        Body::Table(_) | Body::MaterializedView(_) => edge.from_column.is_some(),
        _ => {
            let above = edge.from as usize;
            schema.objects[above].id.kind.is_type() && are_kept(schema, above)
        }
    })
}
