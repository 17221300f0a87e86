//! Changes of a column's type, held against the type that the column has.
//!
//! Invariant: a change is taken for harmless only when the catalog was asked about that very column
//! and nothing of the plan before it touches the table.

use std::collections::BTreeMap;

use pgfleet_sql::shape::{ActionKind, Shape, shape};
use pgfleet_sql::{PieceKind, QualifiedName, split};

use crate::schema::{Kind, Object, Schema};

/// Types that columns of a target have, as `format_type` writes them, by the table as a migration
/// names it and the column.
pub type ColumnTypes = BTreeMap<(QualifiedName, String), String>;

/// A column whose type a statement changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeChange {
    pub(super) table: QualifiedName,
    pub(super) column: String,
    /// As written.
    pub(super) new_type: String,
    /// By an expression of its own, or into another sort order.
    pub(super) computed: bool,
}

/// The columns whose types a script changes: what a target is to be asked about.
pub fn retyped_columns(script: &str) -> Vec<(QualifiedName, String)> {
    let lower = script.to_ascii_lowercase();
    if !(lower.contains("alter") && lower.contains("type")) {
        return Vec::new();
    }
    let pieces = split(script).into_iter().filter(|piece| piece.kind == PieceKind::Statement);
    let statements = pieces.filter_map(|piece| script.get(piece.range));
    let changes = statements.flat_map(|statement| type_changes(statement).0);
    changes.map(|change| (change.table, change.column)).collect()
}

/// The types that the columns which a script retypes have in a schema. A name without a schema counts where
/// one table alone has it.
pub fn column_types_in(schema: &Schema, script: &str) -> ColumnTypes {
    let table = |name: &QualifiedName| {
        let tables = [Kind::Table, Kind::ForeignTable];
        let is_it = |object: &&Object| {
            tables.contains(&object.id.kind)
                && object.id.name == name.name
                && name.schema.as_ref().is_none_or(|schema| *schema == object.id.schema)
        };
        let mut found = schema.objects.iter().filter(is_it);
        found.next().filter(|_| found.next().is_none())
    };
    let with_type = |(name, column): (QualifiedName, String)| {
        let columns = table(&name)?.columns();
        let type_name = columns.iter().find(|one| one.name == column)?.type_name.clone();
        Some(((name, column), type_name))
    };
    retyped_columns(script).into_iter().filter_map(with_type).collect()
}

/// The columns whose types a statement changes, and whether it does nothing else.
pub(super) fn type_changes(statement: &str) -> (Vec<TypeChange>, bool) {
    let Shape::AlterTable(alter) = shape(statement) else { return (Vec::new(), false) };
    let change = |kind: &ActionKind| match kind {
        ActionKind::SetType { column, type_text, using, collate } => Some(TypeChange {
            table: alter.table.clone(),
            column: column.clone(),
            new_type: type_text.clone(),
            computed: *using || *collate,
        }),
        _ => None,
    };
    let changes: Vec<_> = alter.actions.iter().filter_map(|action| change(&action.kind)).collect();
    let nothing_else = changes.len() == alter.actions.len();
    (changes, nothing_else)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_a_script_are_found_and_nothing_else() {
        let script = "CREATE TYPE a AS ENUM ('x'); ALTER TABLE app.t ADD b int, ALTER COLUMN \"C\" \
                      SET DATA TYPE text; -- ALTER TABLE u ALTER d TYPE int;\n ALTER TABLE v ALTER e TYPE int USING 1";
        let found = retyped_columns(script);
        let expected = [
            (QualifiedName::new("app", "t"), "C".to_owned()),
            (QualifiedName::bare("v"), "e".to_owned()),
        ];
        assert_eq!(found, expected);
        assert_eq!(retyped_columns("CREATE TABLE t (type text)"), []);
    }
}
