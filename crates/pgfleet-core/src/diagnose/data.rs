//! Rows, values and types that do not fit, and objects that others depend on.

use super::explain::Failure;
use super::{Code, Problem};

/// Existing or new rows break a rule.
pub(super) fn rows_violate(failure: &Failure<'_>) -> Problem {
    let problem = failure.say(Code::RowsViolate);
    let (cause, fix) = match failure.error.sqlstate.as_str() {
        "23502" => (
            "rows have NULL where the migration wants a value",
            "fill the column first (UPDATE … SET … WHERE … IS NULL), or add it with a DEFAULT",
        ),
        "23505" => (
            "several rows have the same key, which the new unique rule forbids",
            "merge or delete the duplicates first, or add columns to the key",
        ),
        "23503" => (
            "rows refer to rows that are not there",
            "delete or repair the orphans first, or add the constraint NOT VALID and validate it later",
        ),
        "23P01" => {
            ("rows overlap that the new rule keeps apart", "repair the rows that overlap first")
        }
        _ => (
            "rows break the new check",
            "repair the rows first, or add the constraint NOT VALID and validate it later",
        ),
    };
    with_rows(problem.because(cause), failure).fix(fix)
}

fn with_rows(mut problem: Problem, failure: &Failure<'_>) -> Problem {
    let Some(rows) = &failure.catalog.violations else { return problem };
    let noun = if rows.count == 1 { "row" } else { "rows" };
    let verb = if rows.count == 1 { "breaks" } else { "break" };
    problem = problem.detail(format!("{} {noun} {verb} it", rows.count));
    if !rows.samples.is_empty() {
        problem = problem.detail(format!("for example: {}", rows.samples.join("; ")));
    }
    problem.fix_with("see the rows", rows.query.clone())
}

/// A value does not fit its type.
pub(super) fn values(failure: &Failure<'_>) -> Problem {
    let problem = failure.say(Code::RowsViolate);
    let (cause, fix) = match failure.error.sqlstate.as_str() {
        "22001" => (
            "a text is longer than its column allows",
            "widen the type (text), or shorten the values first",
        ),
        "22003" => (
            "a number is greater than its type allows",
            "take a larger type (bigint, numeric), or correct the values first",
        ),
        "22P02" => (
            "a text is not a value of the type it is to become",
            "correct the values first, or convert them in USING (…)",
        ),
        _ => (
            "a text is not a valid date or time",
            "correct the values first; write dates as YYYY-MM-DD",
        ),
    };
    with_rows(problem.because(cause), failure).fix(fix)
}

/// Types that do not go together.
pub(super) fn types(failure: &Failure<'_>) -> Problem {
    let problem = failure.say(Code::TypeMismatch);
    let message = &failure.error.message;
    if message.contains("cannot be cast automatically") {
        let column = failure.quoted(0).unwrap_or("COLUMN");
        let named = failure.error.message.rsplit("type ").next().unwrap_or("TYPE");
        let column = pgfleet_sql::quote_ident(column);
        return problem
            .because("there is no automatic conversion from the old type to the new one")
            .fix_with(
                "say how to convert",
                format!("ALTER COLUMN {column} TYPE {named} USING {column}::{named}"),
            )
            .fix("drop and set the column's DEFAULT around the change, when it has one");
    }
    if message.contains("default for column") {
        return problem
            .because("the column's default cannot be converted to the new type")
            .fix_with(
                "take the default away before, and set it again after",
                "ALTER COLUMN … DROP DEFAULT",
            );
    }
    if message.contains("foreign key constraint") {
        return problem
            .because("the two columns of the foreign key have types that cannot be compared")
            .fix("give both columns the same type");
    }
    problem
        .because("an expression has another type than its place wants")
        .fix("convert it with CAST(… AS …), or change the column's type")
}

/// DROP or ALTER of something that others need.
pub(super) fn dependents(failure: &Failure<'_>) -> Problem {
    let mut problem = failure.say(Code::DependentsExist);
    let dependents = &failure.catalog.dependents;
    problem = match dependents.len() {
        0 => problem.because("other objects need it; the server lists them below"),
        1 => problem.because("another object needs it"),
        count => problem.because(format!("{count} other objects need it")),
    };
    for dependent in dependents.iter().take(20) {
        problem = problem.detail(dependent.clone());
    }
    problem
        .fix("drop or change the dependents first, in the same migration, in reverse order of creation")
        .fix("or add CASCADE, which drops all of them: plan --allow-data-loss shows what goes")
}
