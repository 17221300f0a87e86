//! Reads the shape of a database: tables, columns, keys, sizes, in one exchange.

use pgfleet_core::split::{ColumnShape, ForeignKeyShape, KeyShape, Shape, TableShape};
use pgfleet_sql::QualifiedName;

use crate::connect::{Session, SessionError};

/// Reads the shape of a session's database. pgfleet's own schema, what extensions brought, and
/// the history tables that are named are left out.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn read_shape(
    session: &Session,
    histories: &[QualifiedName],
) -> Result<Shape, SessionError> {
    let mut shape = Shape::default();
    for row in session.query_text(include_str!("shape.sql")).await? {
        take(&mut shape, &row);
    }
    shape.tables.retain(|name, _| !histories.contains(name));
    Ok(shape)
}

fn take(shape: &mut Shape, row: &[Option<String>]) {
    let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let name = QualifiedName::new(text(1), text(2));
    if text(0) == "table" {
        shape.tables.insert(name, table(&text));
        return;
    }
    // Columns of what is no table of ours come without it.
    let Some(table) = shape.tables.get_mut(&name) else { return };
    match text(0).as_str() {
        "column" => table.columns.push(column(&text, row)),
        "key" => table.keys.push(KeyShape {
            name: text(3),
            columns: names(&text(5)),
            is_primary: text(4) == "true",
        }),
        _ => table.foreign_keys.push(ForeignKeyShape {
            name: text(3),
            columns: names(&text(4)),
            to: QualifiedName::new(text(5), text(6)),
            to_columns: names(&text(7)),
            is_validated: text(8) == "true",
        }),
    }
}

fn table(text: &impl Fn(usize) -> String) -> TableShape {
    TableShape {
        rows_estimated: text(3).parse().unwrap_or(-1.0),
        size_bytes: text(4).parse().unwrap_or_default(),
        pages: text(5).parse().unwrap_or_default(),
        file: text(6).parse().unwrap_or_default(),
        is_partitioned: text(7) == "true",
        ..TableShape::default()
    }
}

fn column(text: &impl Fn(usize) -> String, row: &[Option<String>]) -> ColumnShape {
    let marks = text(6);
    let has = |mark: &str| marks.split(' ').any(|word| word == mark);
    ColumnShape {
        name: text(3),
        full_type: text(4),
        base_type: text(5),
        is_not_null: has("not-null"),
        has_default: has("default"),
        is_generated: has("generated"),
        is_builtin: has("builtin"),
        labels: row.get(7).cloned().flatten().map(|labels| names(&labels)),
        sequence: row.get(8).cloned().flatten(),
    }
}

/// A JSON array of text; nothing where it is not one.
fn names(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
