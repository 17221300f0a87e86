//! The queries that only the data can answer: `rows` and `sql` checks.
//!
//! Each becomes one statement of one row, `(position, value, matches)`, so that many can travel
//! in one batch and every row says which check it answers.

use pgfleet_sql::{quote_ident, quote_literal};

use super::{Check, Rows, Sql};

/// One statement for one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The check's position among the checks.
    pub position: usize,
    /// A statement without a semicolon that gives one row: the position, the value as text, and
    /// whether it matches the check's regular expression (`t`, `f` or NULL).
    pub sql: String,
}

/// The statements for the checks that need one, in the checks' order.
pub fn questions(checks: &[Check]) -> Vec<Question> {
    let sql = |(position, check): (usize, &Check)| {
        let sql = match check {
            Check::Rows(rows) => rows_sql(position, rows),
            Check::Sql(sql) => scalar_sql(position, sql),
            _ => return None,
        };
        Some(Question { position, sql })
    };
    checks.iter().enumerate().filter_map(sql).collect()
}

fn rows_sql(position: usize, rows: &Rows) -> String {
    let table = match &rows.table.schema {
        Some(_) => rows.table.sql(),
        None => quote_ident(&rows.table.name),
    };
    // The condition stands on lines of its own, so that a comment at its end ends there.
    let filter = rows.condition.as_deref().map(|condition| format!(" WHERE (\n{condition}\n)"));
    let filter = filter.unwrap_or_default();
    format!("SELECT {position}, count(*)::text, NULL::boolean FROM {table}{filter}")
}

fn scalar_sql(position: usize, check: &Sql) -> String {
    let query = check.query.trim().trim_end_matches(';');
    let matches = match check.matches.as_deref().map(quote_literal) {
        // A pattern with a NUL cannot be sent; it matches nothing, since no text holds one.
        Some(Err(_)) => "false".to_owned(),
        Some(Ok(pattern)) => format!("value ~ {pattern}"),
        None => "NULL::boolean".to_owned(),
    };
    format!(
        "SELECT {position}, value, {matches} FROM (SELECT (\n{query}\n)::text AS value) AS answer"
    )
}

#[cfg(test)]
mod tests {
    use super::super::parse_declaration;
    use super::*;

    #[test]
    fn names_and_patterns_are_quoted() {
        let text = r#"
            [[check]]
            kind = "rows"
            table = "Odd name"
            where = "a is null -- seeds"
            exactly = 16
            [[check]]
            kind = "sql"
            query = "select version();"
            matches = "^Postgre'SQL"
        "#;
        let asked = questions(&parse_declaration(text, "c").unwrap());
        insta::assert_snapshot!(asked[0].sql, @r#"
        SELECT 0, count(*)::text, NULL::boolean FROM "Odd name" WHERE (
        a is null -- seeds
        )
        "#);
        insta::assert_snapshot!(asked[1].sql, @r"
        SELECT 1, value, value ~ '^Postgre''SQL' FROM (SELECT (
        select version()
        )::text AS value) AS answer
        ");
    }
}
