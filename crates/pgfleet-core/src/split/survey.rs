//! Questions to the data before anything is moved: casts that fail, values that do not fit, labels
//! that an enum does not know, NULLs, duplicates and orphans.
//!
//! Invariant: no question fails because of the data; a value that cannot be cast is counted.

use pgfleet_sql::{QualifiedName, quote_literal_standard};

use super::finding::Finding;
use super::moves::{Column, Move, Rows};
use super::shape::{ColumnShape, ForeignKeyShape, KeyShape, TableShape};

/// What is asked about the rows of one move in one scan.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Functions that tell whether a value fits its column; made once in the session.
    pub functions: Vec<String>,
    /// Gives one row: the number of rows, then a number for each question.
    pub sql: String,
    /// The questions, in the order of their numbers.
    pub questions: Vec<Question>,
}

/// One question whose answer is a number of rows that would go wrong.
#[derive(Debug, Clone)]
pub struct Question {
    /// `family.table.column`, or the key.
    pub subject: String,
    /// What such rows are, as in `3 rows …`.
    pub what: String,
    /// What to do about them.
    pub fix: String,
    /// Counts them, where they are not counted by the survey's scan.
    pub count_sql: String,
    /// Shows some of them, one text each.
    pub sample_sql: String,
}

/// How many rows are shown.
const SAMPLES: usize = 5;

impl Question {
    /// The finding, when there are such rows.
    pub fn judge(&self, rows: u64, samples: Vec<String>) -> Option<Finding> {
        let what = format!("{rows} {} {}", if rows == 1 { "row" } else { "rows" }, self.what);
        (rows > 0).then(|| {
            Finding::error(self.subject.clone(), what).rows(rows, samples).fix(self.fix.clone())
        })
    }
}

/// The scan of a move's rows. `value_types` holds the type of each column's expression, as
/// `format_type` writes it, in the order of the move's columns.
pub fn row_survey(
    step: &Move,
    table: &TableShape,
    value_types: &[String],
    number: usize,
) -> Survey {
    let mut survey = Survey { functions: Vec::new(), sql: String::new(), questions: Vec::new() };
    let mut counts = vec!["count(*)".to_owned()];
    for (at, column) in step.columns.iter().enumerate() {
        let (Some(shape), Some(value_type)) = (table.column(&column.name), value_types.get(at))
        else {
            continue;
        };
        let asked = Asked { step, column, shape, value_type, id: format!("{number}_{at}") };
        for (condition, question) in asked.questions(&mut survey.functions) {
            counts.push(format!("count(*) FILTER (WHERE {condition})"));
            survey.questions.push(question);
        }
    }
    survey.sql = format!("SELECT {} {}", counts.join(", "), step.from_clause(None));
    survey
}

struct Asked<'a> {
    step: &'a Move,
    column: &'a Column,
    shape: &'a ColumnShape,
    value_type: &'a str,
    id: String,
}

impl Asked<'_> {
    fn questions(&self, functions: &mut Vec<String>) -> Vec<(String, Question)> {
        let mut asked = Vec::new();
        let tried = self.tried();
        if let Some((function, fails)) = &tried {
            functions.push(function.clone());
            asked.push(self.question(
                format!("{fails} IS NOT NULL"),
                &format!("whose value does not fit {}", self.shape.full_type),
                "Correct them, or map the column by an expression that fits.",
                fails,
            ));
        }
        let value = format!("({}\n)", self.column.expression);
        let mut ask = |condition: String, what: &str, fix: &str| {
            let condition = match &tried {
                Some((_, fails)) => {
                    format!("CASE WHEN {fails} IS NULL THEN {condition} ELSE false END")
                }
                None => condition,
            };
            let shown = format!("coalesce(pg_catalog.left({value}::text, 80), 'NULL')");
            asked.push(self.question(condition, what, fix, &shown));
        };
        if self.shape.is_not_null {
            ask(
                format!("{value} IS NULL"),
                "without a value, and it allows no NULL",
                "Give them one, or map the column by coalesce(…).",
            );
        }
        if let Some(labels) = &self.shape.labels {
            let labels: Vec<_> = labels.iter().map(|label| quote_literal_standard(label)).collect();
            ask(
                format!("{value}::pg_catalog.text NOT IN ({})", labels.join(", ")),
                &format!("whose value {} does not know", self.shape.full_type),
                "Add the value to the enum, or map the column by CASE … END.",
            );
        }
        asked
    }

    /// A function that says why a value cannot be had, or would not be the same in the column;
    /// and its call. None where neither can happen.
    fn tried(&self) -> Option<(String, String)> {
        let is_cast = self.shape.is_builtin && self.shape.labels.is_none();
        let may_not_fit = is_cast && !fits_always(self.value_type, self.shape);
        if self.column.is_plain() && !may_not_fit {
            return None;
        }
        let name = format!("pg_temp.pgfleet_fails_{}", self.id);
        let value_type = self.value_type;
        // Of a table, the expression itself is tried; a query's columns are values already.
        let (parameter, value, argument) = match &self.step.rows {
            Rows::Table { table, .. } => {
                (format!("s {table}"), format!("({}\n)", self.column.expression), "s".to_owned())
            }
            Rows::Query { .. } => {
                (format!("value {value_type}"), "value".to_owned(), self.column.expression.clone())
            }
        };
        let compare = if is_cast { self.comparison() } else { String::new() };
        let function = format!(
            "CREATE FUNCTION {name}({parameter}) RETURNS text LANGUAGE plpgsql AS $pgfleet$ \
             DECLARE v {value_type}; BEGIN v := {value}; {compare}RETURN NULL; \
             EXCEPTION WHEN OTHERS THEN RETURN SQLERRM; END $pgfleet$"
        );
        Some((function, format!("{name}({argument})")))
    }

    /// Returns when length, precision or the type itself would change the value.
    fn comparison(&self) -> String {
        let (base, full, value_type) =
            (&self.shape.base_type, &self.shape.full_type, self.value_type);
        let mut different = Vec::new();
        if base != full {
            different.push(format!("(v::{base})::{full} IS DISTINCT FROM v::{base}"));
        }
        if is_measure(value_type) && is_measure(full) {
            different.push(format!("(v::{full})::{value_type} IS DISTINCT FROM v"));
        } else {
            different.push(format!("(v::{full})::text IS NULL AND v IS NOT NULL"));
        }
        format!(
            "IF {} THEN RETURN pg_catalog.left(v::text, 80) || \
             ' would be shortened or rounded'; END IF; ",
            different.join(" OR ")
        )
    }

    fn question(
        &self,
        condition: String,
        what: &str,
        fix: &str,
        shown: &str,
    ) -> (String, Question) {
        let (step, column) = (self.step, self.column);
        let question = Question {
            subject: format!("{}.{}", step.into, column.name),
            what: what.to_owned(),
            fix: fix.to_owned(),
            count_sql: String::new(),
            sample_sql: format!(
                "SELECT {} || ': ' || {shown} {} LIMIT {SAMPLES}",
                step.key_text(),
                step.from_where(&condition)
            ),
        };
        (condition, question)
    }
}

/// Numbers and times: types between which a cast may round.
fn is_measure(name: &str) -> bool {
    let families = ["smallint", "integer", "bigint", "numeric", "real", "double", "date", "time"];
    families.iter().any(|family| name.starts_with(family)) && !name.ends_with(']')
}

/// Conversions that lose nothing, whatever the value.
fn fits_always(value_type: &str, column: &ColumnShape) -> bool {
    let widens = [
        ("smallint", "integer"),
        ("smallint", "bigint"),
        ("integer", "bigint"),
        ("smallint", "numeric"),
        ("integer", "numeric"),
        ("bigint", "numeric"),
        ("real", "double precision"),
        ("date", "timestamp without time zone"),
        ("uuid", "text"),
    ];
    let full = column.full_type.as_str();
    value_type == full
        || (full == "text" && value_type.starts_with("character"))
        || (full == "character varying" && value_type.starts_with("character varying"))
        || (full == "character varying" && value_type == "text")
        || (full == "numeric" && value_type.starts_with("numeric"))
        || widens.contains(&(value_type, full))
        || longer(value_type, full)
}

/// `character varying(20)` fits `character varying(50)`.
fn longer(value_type: &str, full: &str) -> bool {
    let length = |text: &str| {
        let inner = text.strip_prefix("character varying(")?.strip_suffix(')')?;
        inner.parse::<u32>().ok()
    };
    matches!((length(value_type), length(full)), (Some(value), Some(full)) if value <= full)
}

/// Whether the moved rows would break a unique key. None where not all of its columns are moved.
pub fn key_question(step: &Move, key: &KeyShape) -> Option<Question> {
    let values = expressions(step, &key.columns)?;
    let present: Vec<_> = values.iter().map(|value| format!("{value} IS NOT NULL")).collect();
    let groups = format!(
        "SELECT {} AS pgfleet_key, count(*) AS pgfleet_rows FROM (SELECT s.* {}) s WHERE {} \
         GROUP BY {} HAVING count(*) > 1",
        text_of(&values),
        step.from_clause(None),
        present.join(" AND "),
        values.join(", ")
    );
    Some(Question {
        subject: format!("{} ({})", step.into, key.columns.join(", ")),
        what: format!("that share a value of the unique key {}", key.name),
        fix: "Merge or correct them before the move.".to_owned(),
        count_sql: format!("SELECT coalesce(sum(pgfleet_rows), 0) FROM ({groups}) g"),
        sample_sql: format!(
            "SELECT pgfleet_key || ' (' || pgfleet_rows || ' rows)' FROM ({groups}) g LIMIT {SAMPLES}"
        ),
    })
}

/// Whether moved rows would refer to rows that are not moved. None where not all columns of
/// either side are moved.
pub fn foreign_key_question(
    child: &Move,
    parent: &Move,
    key: &ForeignKeyShape,
) -> Option<Question> {
    let (from, to) = (expressions(child, &key.columns)?, expressions(parent, &key.to_columns)?);
    let aliased = |values: &[String]| -> String {
        let named =
            (0..).zip(values).map(|(at, value): (usize, _)| format!("{value}::text AS k{at}"));
        named.collect::<Vec<_>>().join(", ")
    };
    let matches: Vec<_> = (0..from.len()).map(|at| format!("p.k{at} = c.k{at}")).collect();
    let present: Vec<_> = (0..from.len()).map(|at| format!("c.k{at} IS NOT NULL")).collect();
    let orphans = format!(
        "FROM (SELECT {} AS pgfleet_row, {} {}) c WHERE {} AND NOT EXISTS \
         (SELECT 1 FROM (SELECT {} {}) p WHERE {})",
        child.key_text(),
        aliased(&from),
        child.from_clause(None),
        present.join(" AND "),
        aliased(&to),
        parent.from_clause(None),
        matches.join(" AND ")
    );
    let keys: Vec<_> = (0..from.len()).map(|at| format!("c.k{at}")).collect();
    Some(Question {
        subject: format!("{} ({})", child.into, key.columns.join(", ")),
        what: format!("that would refer to no row of {}", parent.into),
        fix: "Move the rows they refer to, or leave these behind with `where`.".to_owned(),
        count_sql: format!("SELECT count(*) {orphans}"),
        sample_sql: format!(
            "SELECT pgfleet_row || ' -> ' || pg_catalog.concat_ws(', ', {}) {orphans} LIMIT {SAMPLES}",
            keys.join(", ")
        ),
    })
}

/// True when the source's own unique keys keep the moved rows from breaking a unique key.
pub fn keeps_key(step: &Move, from: &TableShape, into: &TableShape, key: &KeyShape) -> bool {
    let Some(sources) = plain_columns(step, &key.columns) else { return false };
    let is_same = |(source, name): (&String, &String)| {
        let (source, column) = (from.column(source), into.column(name));
        let base = |column: &ColumnShape| (column.base_type.clone(), column.is_builtin);
        source.map(base) == column.map(base)
    };
    let within = |of: &KeyShape| of.columns.iter().all(|column| sources.contains(column));
    sources.iter().zip(&key.columns).all(is_same) && from.keys.iter().any(within)
}

/// True when a foreign key of the source is the one of the new database, and all rows that it
/// refers to are moved. `to` is the source's table of the parent's rows.
pub fn keeps_foreign_key(
    child: &Move,
    parent: &Move,
    from: &TableShape,
    to: &QualifiedName,
    key: &ForeignKeyShape,
) -> bool {
    let all_parents = matches!(&parent.rows, Rows::Table { condition: None, .. });
    let columns = plain_columns(child, &key.columns);
    let to_columns = plain_columns(parent, &key.to_columns);
    let (Some(columns), Some(to_columns)) = (columns, to_columns) else { return false };
    let is_same = |own: &ForeignKeyShape| {
        own.is_validated && own.to == *to && own.columns == columns && own.to_columns == to_columns
    };
    all_parents && from.foreign_keys.iter().any(is_same)
}

/// The source's columns behind columns that are moved as they are.
fn plain_columns(step: &Move, columns: &[String]) -> Option<Vec<String>> {
    let plain = |name: &String| {
        let column = step.columns.iter().find(|column| column.name == *name)?;
        column.plain_name()
    };
    columns.iter().map(plain).collect()
}

fn expressions(step: &Move, columns: &[String]) -> Option<Vec<String>> {
    let expression = |name: &String| {
        let column = step.columns.iter().find(|column| column.name == *name)?;
        Some(format!("({}\n)", column.expression))
    };
    columns.iter().map(expression).collect()
}

fn text_of(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| format!("{value}::text")).collect();
    format!("pg_catalog.concat_ws(', ', {})", values.join(", "))
}
