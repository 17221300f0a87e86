//! Is what exists the same as what a statement would create?
//!
//! The statement is run for a schema of its own inside a transaction that is rolled back, and both
//! objects are then read from the catalog: only PostgreSQL knows what its words mean. The existing
//! table is read, never locked beyond that; a foreign key's other table is locked for a moment at
//! most, and not waited for.

use std::collections::BTreeMap;

use pgfleet_core::diagnose::Comparison;
use pgfleet_sql::{QualifiedName, quote_ident};

use super::ask::{ask, literal};
use super::statement::{Comparable, Create};
use crate::connect::{Session, SessionError};

/// The schema that exists only inside the comparison's transaction.
const SCRATCH_SCHEMA: &str = "pgfleet_compare";

/// Compares what a CREATE statement (table, index, view, function, type) would create with what
/// exists under its name. `None` when nothing exists, when the statement is of another kind, or
/// when it could not be found out in time. The session must be outside of any transaction.
pub async fn compare_existing(session: &Session, statement: &str) -> Option<Comparison> {
    let create = Create::read(statement)?;
    let existing = find(session, &create).await?;
    let outcome = describe_both(session, &create, &existing).await;
    let _ = session.batch("ROLLBACK").await;
    let (found, wanted) = outcome.ok()?;
    if found.is_empty() || wanted.is_empty() {
        return None;
    }
    Some(compare(&found, &wanted))
}

/// The name with its schema, as the search path finds it.
async fn find(session: &Session, create: &Create<'_>) -> Option<QualifiedName> {
    let name = literal(&create.name.to_string());
    let own = literal(&create.name.name);
    let sql = match create.kind {
        Comparable::Table | Comparable::Index | Comparable::View => format!(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid = to_regclass({name})"
        ),
        Comparable::Type => format!(
            "SELECT n.nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
             WHERE t.oid = to_regtype({name})"
        ),
        Comparable::Routine => format!(
            "SELECT n.nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
             WHERE p.proname = {own} AND n.nspname = COALESCE({}, current_schema)",
            create.name.schema.as_deref().map_or_else(|| "NULL".to_owned(), literal)
        ),
    };
    let name_of_index = create.kind == Comparable::Index && create.name.schema.is_none();
    let rows = match (&create.table, name_of_index) {
        // An index is in its table's schema, wherever the path leads.
        (Some(table), true) => ask(session, &index_schema(table)).await,
        _ => ask(session, &sql).await,
    };
    let schema = rows.into_iter().next()?.into_iter().next()??;
    Some(QualifiedName::new(schema, create.name.name.clone()))
}

fn index_schema(table: &QualifiedName) -> String {
    let table = literal(&table.to_string());
    format!(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = to_regclass({table})"
    )
}

/// Properties by name: `column id` is `integer NOT NULL`.
type Description = BTreeMap<String, String>;

async fn describe_both(
    session: &Session,
    create: &Create<'_>,
    existing: &QualifiedName,
) -> Result<(Description, Description), SessionError> {
    let rows = session.query_text("SELECT current_setting('search_path')").await?;
    let path = rows.into_iter().flatten().next().flatten().unwrap_or_default();
    let path = if path.is_empty() { "''".to_owned() } else { path };
    session
        .batch(&format!(
            "BEGIN; SET LOCAL statement_timeout = 3000; SET LOCAL lock_timeout = 100; \
             SET LOCAL check_function_bodies = off; CREATE SCHEMA {SCRATCH_SCHEMA}"
        ))
        .await?;
    if let Some(table) = &create.table {
        let copy = quote_ident(&table.name);
        session
            .batch(&format!(
                "CREATE TABLE {SCRATCH_SCHEMA}.{copy} (LIKE {table} INCLUDING GENERATED)"
            ))
            .await?;
    }
    session.batch(&format!("SET LOCAL search_path TO {SCRATCH_SCHEMA}, {path}")).await?;
    session.batch(&create.moved_to(SCRATCH_SCHEMA)).await?;
    // With nothing on the path every name is written in full, so that texts can be compared.
    session.batch("SET LOCAL search_path TO ''").await?;
    let scratch = QualifiedName::new(SCRATCH_SCHEMA, create.name.name.clone());
    let schema = existing.schema.clone().unwrap_or_default();
    let found = describe(session, create.kind, existing, &schema).await?;
    let wanted = describe(session, create.kind, &scratch, &schema).await?;
    Ok((found, wanted))
}

async fn describe(
    session: &Session,
    kind: Comparable,
    name: &QualifiedName,
    schema: &str,
) -> Result<Description, SessionError> {
    let rows = session.query_text(&description_query(kind, name)).await?;
    let (scratch, real) = (format!("{SCRATCH_SCHEMA}."), format!("{}.", quote_ident(schema)));
    let text = |value: Option<String>| value.unwrap_or_default().replace(&scratch, &real);
    let pairs = rows.into_iter().filter_map(|row| {
        let mut values = row.into_iter();
        Some((text(values.next()?), text(values.next()?)))
    });
    Ok(pairs.collect())
}

fn description_query(kind: Comparable, name: &QualifiedName) -> String {
    let full = literal(&name.to_string());
    let schema = literal(name.schema.as_deref().unwrap_or_default());
    let own = literal(&name.name);
    match kind {
        Comparable::Table => format!("{COLUMNS} UNION ALL {CONSTRAINTS}").replace("$1", &full),
        Comparable::Index => format!("SELECT 'definition', pg_get_indexdef({full}::regclass)"),
        Comparable::View => format!(
            "SELECT 'definition', pg_get_viewdef({full}::regclass) UNION ALL {}",
            COLUMNS.replace("$1", &full)
        ),
        Comparable::Routine => format!(
            "SELECT 'function (' || pg_get_function_identity_arguments(p.oid) || ')', \
             pg_get_functiondef(p.oid) FROM pg_proc p \
             JOIN pg_namespace n ON n.oid = p.pronamespace \
             WHERE p.proname = {own} AND n.nspname = {schema} AND p.prokind IN ('f', 'p')"
        ),
        Comparable::Type => format!(
            "SELECT 'values', string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum \
             WHERE enumtypid = {full}::regtype HAVING count(*) > 0 UNION ALL \
             SELECT 'attribute ' || attname, format_type(atttypid, atttypmod) \
             FROM pg_attribute a JOIN pg_type t ON t.typrelid = a.attrelid \
             WHERE t.oid = {full}::regtype AND attnum > 0 AND NOT attisdropped"
        ),
    }
}

const COLUMNS: &str = "SELECT 'column ' || quote_ident(a.attname), \
    format_type(a.atttypid, a.atttypmod) \
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END \
    || CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' \
       WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' ELSE '' END \
    || COALESCE(CASE WHEN a.attgenerated <> '' THEN ' GENERATED ' ELSE ' DEFAULT ' END \
       || pg_get_expr(d.adbin, d.adrelid), '') \
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped";

/// Constraints. NOT NULL ones (PostgreSQL 18 has rows for them) are with the columns already;
/// indexes of their own are other statements' work.
const CONSTRAINTS: &str = "SELECT 'constraint ' || quote_ident(conname), pg_get_constraintdef(oid) \
    FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u', 'f', 'c', 'x')";

fn compare(found: &Description, wanted: &Description) -> Comparison {
    let mut differences = Vec::new();
    for (key, want) in wanted {
        match found.get(key) {
            Some(have) if have == want => {}
            Some(have) => differences.push(format!("{key} is {have}, the statement says {want}")),
            None => differences.push(format!("{key} {want} is missing")),
        }
    }
    let extra = found.iter().filter(|(key, _)| !wanted.contains_key(*key));
    differences.extend(extra.map(|(key, have)| format!("{key} {have} is not in the statement")));
    if differences.is_empty() { Comparison::Identical } else { Comparison::Different(differences) }
}
