//! Tables whose rows a materialized view holds whole.
//!
//! Source: `ATRewriteTables` in src/backend/commands/tablecmds.c, which refuses to give rows new values or to
//! write them anew while a column elsewhere has their type (`find_composite_type_dependencies`). What a
//! materialized view holds can be computed again.

use crate::schema::{Column, Edge, Generated, Kind, Object, ObjectId, Schema};

/// True when turning a table into another gives its rows new values.
pub(super) fn are_written(to: &Schema, old: &Object, new: &Object) -> bool {
    let (Some(before), Some(after)) = (old.table(), new.table()) else { return false };
    let find = |column: &Column| before.columns.iter().find(|other| other.name == column.name);
    let writes = |column: &Column| match find(column) {
        None => brings_value(to, column),
        Some(had) => {
            (&had.type_name, &had.collation) != (&column.type_name, &column.collation)
                || had.generated != column.generated
                || (column.generated.is_some() && had.default != column.default)
        }
    };
    before.persistence != after.persistence || after.columns.iter().any(writes)
}

fn brings_value(schema: &Schema, column: &Column) -> bool {
    let is_domain = pgfleet_sql::parse_qualified(&column.type_name).is_some_and(|name| {
        let id = ObjectId::new(Kind::Domain, &name.schema.unwrap_or_default(), &name.name);
        schema.get(&id).is_some()
    });
    let has_any = column.default.is_some() || column.identity.is_some() || is_domain;
    has_any && column.generated != Some(Generated::Virtual)
}

/// True when a column of what depends has the type of the rows.
pub(super) fn are_held(edge: &Edge) -> bool {
    edge.from_column.is_some() && edge.to_column.is_none()
}
