//! Rows that break a new rule: how many, and some of their keys.

use pgfleet_core::diagnose::Violations;
use pgfleet_sql::{ObjectKind, quote_ident};

use super::Failure;
use super::ask::{ask, ask_names, literal};
use crate::connect::Session;

/// How many sample keys are shown.
const SAMPLES: usize = 5;

/// Looks for the rows when the statement changes a definition; a refused INSERT or UPDATE says
/// itself which row it was.
pub(super) async fn violations(session: &Session, failure: &Failure<'_>) -> Option<Violations> {
    let head = failure.statement.trim_start().get(..6)?.to_ascii_uppercase();
    if !matches!(head.as_str(), "ALTER " | "CREATE") {
        return None;
    }
    match failure.error.sqlstate.as_str() {
        "23505" => duplicates(session, failure).await,
        "23502" => {
            let column = quote_ident(failure.error.column.as_deref()?);
            rows_where(session, &table_of(failure)?, &format!("{column} IS NULL")).await
        }
        "23503" => orphans(session, failure).await,
        "23514" => {
            let rule = check_expression(failure.statement)?;
            rows_where(session, &table_of(failure)?, &format!("NOT ({rule})")).await
        }
        "22001" => too_long(session, failure).await,
        _ => None,
    }
}

/// Texts that are longer than the type they are to get: `value too long for type character
/// varying(5)`. Asked only when the statement changes one column, so that it is clear which.
async fn too_long(session: &Session, failure: &Failure<'_>) -> Option<Violations> {
    let (_, limit) = failure.error.message.rsplit_once('(')?;
    let limit: u32 = limit.trim_end_matches(')').parse().ok()?;
    let mut columns = failure.facts.alters.iter().filter(|o| o.kind == ObjectKind::Column);
    let (Some(column), None) = (columns.next(), columns.next()) else { return None };
    let table = column.on.as_ref()?.to_string();
    let name = quote_ident(&column.name.name);
    rows_where(session, &table, &format!("length(t.{name}::text) > {limit}")).await
}

/// The table as the error's own fields name it.
fn table_of(failure: &Failure<'_>) -> Option<String> {
    let table = quote_ident(failure.error.table.as_deref()?);
    Some(match &failure.error.schema {
        Some(schema) => format!("{}.{table}", quote_ident(schema)),
        None => table,
    })
}

/// The columns of `Key (a, b)=(1, 2) is duplicated.`, as the server quotes them.
fn key_columns<'a>(failure: &Failure<'a>) -> Option<&'a str> {
    let (_, rest) = failure.error.detail.as_deref()?.split_once('(')?;
    rest.split_once(")=(").map(|(columns, _)| columns)
}

async fn duplicates(session: &Session, failure: &Failure<'_>) -> Option<Violations> {
    duplicates_of(session, &table_of(failure)?, key_columns(failure)?, "true").await
}

/// Rows of a table that are the same in some columns or expressions.
pub(crate) async fn duplicates_of(
    session: &Session,
    table: &str,
    columns: &str,
    condition: &str,
) -> Option<Violations> {
    let filter = if condition == "true" { String::new() } else { format!(" WHERE {condition}") };
    let query = format!(
        "SELECT {columns}, count(*) FROM {table}{filter} GROUP BY {columns} HAVING count(*) > 1"
    );
    let total = format!("SELECT COALESCE(sum(count), 0) FROM ({query}) AS duplicates");
    let count = first_number(session, &total).await?;
    let rows = ask(session, &format!("{query} LIMIT {SAMPLES}")).await;
    let samples = rows.into_iter().map(|mut row| {
        let times = row.pop().flatten().unwrap_or_default();
        format!("({columns}) = ({}) {times} times", joined(row))
    });
    Some(Violations { count, samples: samples.collect(), query })
}

/// Rows whose foreign key finds nothing. The other side is its primary key, or the columns that
/// the statement names.
async fn orphans(session: &Session, failure: &Failure<'_>) -> Option<Violations> {
    let table = table_of(failure)?;
    let columns: Vec<_> = key_columns(failure)?.split(", ").collect();
    let (other, named) = referenced(failure.statement)?;
    let keys = match named {
        Some(named) => named,
        None => primary_key(session, &other).await,
    };
    if keys.len() != columns.len() {
        return None;
    }
    let pairs: Vec<_> =
        columns.iter().zip(&keys).map(|(ours, theirs)| format!("o.{theirs} = t.{ours}")).collect();
    let present: Vec<_> = columns.iter().map(|column| format!("t.{column} IS NOT NULL")).collect();
    let condition = format!(
        "{} AND NOT EXISTS (SELECT FROM {other} o WHERE {})",
        present.join(" AND "),
        pairs.join(" AND ")
    );
    rows_where(session, &table, &condition).await
}

/// `REFERENCES other (a, b)`: the other table, and its columns when they are named.
fn referenced(statement: &str) -> Option<(String, Option<Vec<String>>)> {
    let at = statement.to_ascii_uppercase().find("REFERENCES")? + "REFERENCES".len();
    let rest = statement.get(at..)?.trim_start();
    let end = rest.find(|c: char| c.is_whitespace() || "(;,)".contains(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let name = pgfleet_sql::parse_qualified(name)?.to_string();
    let listed = after.trim_start().strip_prefix('(').and_then(|list| list.split_once(')'));
    let columns = listed.map(|(list, _)| list.split(',').map(|c| c.trim().to_owned()).collect());
    Some((name, columns))
}

pub(crate) async fn primary_key(session: &Session, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT quote_ident(attname) FROM pg_index JOIN pg_attribute ON attrelid = indrelid \
         AND attnum = ANY (indkey) WHERE indisprimary AND indrelid = to_regclass({}) \
         ORDER BY array_position(indkey::int2[], attnum)",
        literal(table)
    );
    ask_names(session, &sql).await
}

/// The text between the parentheses after the last CHECK.
fn check_expression(statement: &str) -> Option<&str> {
    let at = statement.to_ascii_uppercase().rfind("CHECK")? + "CHECK".len();
    let inner = statement.get(at..)?.trim_start().strip_prefix('(')?;
    let (mut depth, mut in_text) = (1, false);
    for (at, c) in inner.char_indices() {
        match c {
            '\'' => in_text = !in_text,
            '(' if !in_text => depth += 1,
            ')' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&inner[..at]);
        }
    }
    None
}

/// Rows of a table, or of `ONLY table`, that a condition is true of.
pub(crate) async fn rows_where(
    session: &Session,
    table: &str,
    condition: &str,
) -> Option<Violations> {
    let query = format!("SELECT * FROM {table} t WHERE {condition}");
    let count =
        first_number(session, &format!("SELECT count(*) FROM {table} t WHERE {condition}")).await?;
    let keys = primary_key(session, table.strip_prefix("ONLY ").unwrap_or(table)).await;
    if keys.is_empty() {
        return Some(Violations { count, samples: Vec::new(), query });
    }
    let columns: Vec<_> = keys.iter().map(|key| format!("t.{key}")).collect();
    let list = columns.join(", ");
    let sql =
        format!("SELECT {list} FROM {table} t WHERE {condition} ORDER BY {list} LIMIT {SAMPLES}");
    let rows = ask(session, &sql).await;
    let samples = rows.into_iter().map(|row| format!("({}) = ({})", keys.join(", "), joined(row)));
    Some(Violations { count, samples: samples.collect(), query })
}

fn joined(row: Vec<Option<String>>) -> String {
    let values: Vec<_> =
        row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned())).collect();
    values.join(", ")
}

async fn first_number(session: &Session, sql: &str) -> Option<u64> {
    ask(session, sql).await.first()?.first()?.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_from_the_statement() {
        let text = "ALTER TABLE t ADD CONSTRAINT c CHECK (f(a) > 0 AND b <> ')') NOT VALID";
        assert_eq!(check_expression(text), Some("f(a) > 0 AND b <> ')'"));
        assert_eq!(check_expression("CHECK (a"), None);
        let text = "ALTER TABLE t ADD FOREIGN KEY (a) references s.\"O\" (x, y) ON DELETE CASCADE";
        let columns = vec!["x".to_owned(), "y".to_owned()];
        assert_eq!(referenced(text), Some(("s.\"O\"".to_owned(), Some(columns))));
        assert_eq!(referenced("REFERENCES o;"), Some(("o".to_owned(), None)));
    }
}
