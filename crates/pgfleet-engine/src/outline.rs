//! Reads the outline of a database: names and definitions of tables and enums, in one exchange.

use futures_util::future::join5;
use pgfleet_core::missing::{Outline, OutlineTable};
use pgfleet_core::prisma::ObjectName;

use crate::connect::{Session, SessionError};

/// Schemas that are nobody's own.
const OWN: &str = "n.nspname <> 'information_schema' AND n.nspname <> 'pgfleet' \
                   AND n.nspname !~ '^pg_'";
const OWN_TABLE: &str = "c.relkind IN ('r', 'p') AND NOT c.relispartition \
     AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid \
       AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')";

/// Reads schemas, extensions, tables and enums.
///
/// # Errors
/// When the server cannot be asked.
pub async fn read_outline(session: &Session) -> Result<Outline, SessionError> {
    let names = format!(
        "SELECT 's', n.nspname FROM pg_catalog.pg_namespace n WHERE {OWN} \
         UNION ALL SELECT 'e', extname FROM pg_catalog.pg_extension"
    );
    let (columns, constraints) = (columns_sql(), constraints_sql());
    let (indexes, enums) = (indexes_sql(), enums_sql());
    let (names, columns, constraints, indexes, enums) = join5(
        session.query_text(&names),
        session.query_text(&columns),
        session.query_text(&constraints),
        session.query_text(&indexes),
        session.query_text(&enums),
    )
    .await;
    let mut outline = Outline::default();
    take_names(&mut outline, names?);
    take_columns(&mut outline, columns?);
    take_objects(&mut outline, constraints?);
    take_objects(&mut outline, indexes?);
    take_enums(&mut outline, enums?);
    Ok(outline)
}

/// Schema, table, column, type with NOT NULL and default. A table without columns has one row.
fn columns_sql() -> String {
    format!(
        "SELECT n.nspname, c.relname, a.attname, \
           pg_catalog.format_type(a.atttypid, a.atttypmod) \
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END \
           || coalesce(' DEFAULT ' || e.sql, '') \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_attribute a \
           ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid)) AS e(sql) \
         WHERE {OWN} AND {OWN_TABLE}"
    )
}

/// Schema, table, constraint, definition; NOT NULL constraints, which PostgreSQL 18 lists here
/// too, are said with their columns.
fn constraints_sql() -> String {
    format!(
        "SELECT n.nspname, c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid) \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND {OWN} AND {OWN_TABLE}"
    )
}

/// Schema, table, index, definition, but for those of constraints.
fn indexes_sql() -> String {
    format!(
        "SELECT n.nspname, c.relname, i.relname, pg_catalog.pg_get_indexdef(x.indexrelid) \
         FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid \
         JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k \
           WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')) \
         AND {OWN} AND {OWN_TABLE}"
    )
}

/// Schema, enum, value, in order.
fn enums_sql() -> String {
    format!(
        "SELECT n.nspname, t.typname, v.enumlabel \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         LEFT JOIN pg_catalog.pg_enum v ON v.enumtypid = t.oid \
         WHERE t.typtype = 'e' AND {OWN} ORDER BY t.oid, v.enumsortorder"
    )
}

type Rows = Vec<Vec<Option<String>>>;

/// The first cells of a row, as many as wanted; missing ones are NULL.
fn cells<const N: usize>(row: Vec<Option<String>>) -> [Option<String>; N] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().flatten())
}

fn take_names(outline: &mut Outline, rows: Rows) {
    for row in rows {
        match cells(row) {
            [Some(kind), Some(name)] if kind == "s" => outline.schemas.insert(name),
            [_, Some(name)] => outline.extensions.insert(name),
            _ => false,
        };
    }
}

fn take_columns(outline: &mut Outline, rows: Rows) {
    for row in rows {
        let [Some(schema), Some(name), column, definition] = cells(row) else { continue };
        let table = outline.tables.entry(ObjectName { schema, name }).or_default();
        if let (Some(column), Some(definition)) = (column, definition) {
            table.columns.insert(column, definition);
        }
    }
}

fn take_objects(outline: &mut Outline, rows: Rows) {
    for row in rows {
        let [Some(schema), Some(name), Some(object), Some(definition)] = cells(row) else {
            continue;
        };
        let table: &mut OutlineTable =
            outline.tables.entry(ObjectName { schema, name }).or_default();
        table.objects.insert(object, definition);
    }
}

fn take_enums(outline: &mut Outline, rows: Rows) {
    for row in rows {
        let [Some(schema), Some(name), value] = cells(row) else { continue };
        outline.enums.entry(ObjectName { schema, name }).or_default().extend(value);
    }
}
