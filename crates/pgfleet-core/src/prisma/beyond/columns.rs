//! Columns as Prisma sees them.

use crate::schema::{Body, Column, Schema, same_default};

/// The column as it is, changed in what Prisma sees and wants otherwise.
pub(super) fn merged(start: &Schema, present: Option<&Column>, wanted: &Column) -> Column {
    let Some(present) = present else { return wanted.clone() };
    let mut column = present.clone();
    if present.type_name != wanted.type_name
        && base_of(start, &present.type_name) != wanted.type_name
    {
        column.type_name.clone_from(&wanted.type_name);
        column.collation.clone_from(&wanted.collation);
        column.storage.clone_from(&wanted.storage);
    }
    // A list is a list to Prisma, whether it may be NULL or not.
    if !wanted.type_name.ends_with("[]") {
        column.not_null = wanted.not_null;
    }
    if !same_value(present, wanted) {
        column.default.clone_from(&wanted.default);
        column.identity.clone_from(&wanted.identity);
    }
    column
}

/// The type below a domain, which is what Prisma sees of it.
fn base_of<'s>(schema: &'s Schema, type_name: &'s str) -> &'s str {
    let domain = schema.objects.iter().find(|object| object.id.sql_name() == type_name);
    match domain.map(|object| &object.body) {
        Some(Body::Domain(domain)) => &domain.base,
        _ => type_name,
    }
}

fn same_value(present: &Column, wanted: &Column) -> bool {
    let counts = |column: &Column| {
        let default = column.default.as_deref().unwrap_or_default();
        column.identity.is_some() || default.starts_with("nextval(")
    };
    let (a, b) = (present.default.as_deref(), wanted.default.as_deref());
    present.generated.is_some()
        || (counts(present) && counts(wanted))
        || (present.identity.is_none() && same_default(a, b, &wanted.type_name))
}
