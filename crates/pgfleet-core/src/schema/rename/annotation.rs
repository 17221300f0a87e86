//! `-- pgfleet: renamed-from OLD` in a file that says what the schema shall be: above a statement, or
//! above or behind a column of `CREATE TABLE`.
//!
//! Invariant: such a comment stays true in the file when the rename is done; then it asks for nothing.

use pgfleet_sql::classify::classify;
use pgfleet_sql::shape::{Shape, comments, shape};
use pgfleet_sql::{ObjectKind, PieceKind, QualifiedName, split};

use super::request::{RenameRequest, quoted};
use super::step::RenameOrigin;
use crate::batches;
use crate::diagnose::{Code, Problem, closest_name};
use crate::place::Place;
use crate::program::place_in;

const WORD: &str = "renamed-from";

/// What the comments of a file ask for; `shown` is the file's name in messages.
///
/// # Errors
/// [`Code::RenameInvalid`] for a comment that cannot be meant.
pub fn annotations(text: &str, shown: &str) -> Result<Vec<RenameRequest>, Box<Problem>> {
    let mut found = Vec::new();
    let mut above: Option<(usize, String)> = None;
    if !text.contains("pgfleet:") {
        return Ok(found);
    }
    let statements: Vec<_> =
        split(text).into_iter().filter(|piece| piece.kind == PieceKind::Statement).collect();
    for comment in comments(text) {
        let Some(asked) = comment.text.strip_prefix("pgfleet:").map(str::trim) else { continue };
        let place = place_in(text, &Place::at(shown, 1, 1), true, comment.range.start);
        let refuse = |why: &str| {
            let what = format!("-- pgfleet: {asked} is no rename");
            let problem = Problem::error(Code::RenameInvalid, what).because(why.to_owned());
            Box::new(problem.at(place.clone()).fix("Write -- pgfleet: renamed-from OLD above it."))
        };
        let (word, old) = asked.split_once(char::is_whitespace).unwrap_or((asked, ""));
        // A desired schema may be made of migrations.
        if batches::WORDS.contains(&word) {
            continue;
        }
        if word != WORD {
            let meant =
                closest_name(word, [WORD].into_iter().chain(batches::WORDS.iter().copied()));
            let meant = meant.map_or_else(String::new, |m| format!("; perhaps {m:?} is meant"));
            return Err(refuse(&format!("there is no word {word:?}{meant}")));
        }
        let at = comment.range.start;
        let Some(next) = statements.iter().find(|piece| piece.range.end > at) else {
            return Err(refuse("no statement follows"));
        };
        let sql = &text[next.range.clone()];
        let (start, old) = (next.range.start, old.trim());
        let table = above.as_ref().filter(|(statement, _)| *statement == start);
        let texts = match at.checked_sub(start) {
            None => object_requests(sql, old),
            Some(inside) => column_requests(sql, inside, old, table.map(|(_, old)| old.as_str())),
        };
        if at < start {
            above = Some((start, old.to_owned()));
        }
        for text in texts.map_err(|why| refuse(&why))? {
            let request: RenameRequest = text.parse().map_err(|e| refuse(&format!("{e}")))?;
            found.push(RenameRequest { origin: RenameOrigin::Annotated, ..request });
        }
    }
    Ok(found)
}

/// What stands above a statement is about what that creates.
fn object_requests(sql: &str, old: &str) -> Result<Vec<String>, String> {
    let facts = classify(sql);
    let made = facts.creates.first().ok_or("the statement below creates nothing")?;
    let kind = match made.kind {
        ObjectKind::Table => "table:",
        ObjectKind::View => "view:",
        ObjectKind::Index => "index:",
        ObjectKind::Sequence => "sequence:",
        ObjectKind::Type | ObjectKind::Domain => "type:",
        ObjectKind::Schema => "schema:",
        _ => "",
    };
    Ok(vec![format!("{kind}{}={}", in_schema(old, made.name.schema.as_deref()), spelt(&made.name))])
}

/// A column's table may have been renamed before, or be renamed now.
fn column_requests(
    sql: &str,
    at: usize,
    old: &str,
    old_table: Option<&str>,
) -> Result<Vec<String>, String> {
    let Shape::CreateTable(table) = shape(sql) else {
        return Err("only columns of CREATE TABLE can have it inside of a statement".to_owned());
    };
    let line = sql[..at].rfind('\n').map_or(0, |end| end + 1);
    let is_behind = !sql[line..at].trim().is_empty();
    let mut columns = table.columns.iter();
    let column = match is_behind {
        true => columns.rfind(|column| (line..at).contains(&column.range.start)),
        false => columns.find(|column| column.range.start > at),
    };
    let column = column.ok_or("no column follows")?;
    let old_table = old_table.map(|old| in_schema(old, table.name.schema.as_deref()));
    let owners = [Some(spelt(&table.name)), old_table];
    let request = |owner: String| format!("column:{owner}.{old}={}", quoted(&column.name));
    Ok(owners.into_iter().flatten().map(request).collect())
}

fn in_schema(old: &str, schema: Option<&str>) -> String {
    match schema {
        Some(schema) if !old.contains('.') => format!("{}.{old}", quoted(schema)),
        _ => old.to_owned(),
    }
}

fn spelt(name: &QualifiedName) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(&name.name)),
        None => quoted(&name.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<String> {
        annotations(sql, "wanted.sql").unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn comments_name_tables_columns_and_other_objects() {
        let sql = "-- pgfleet: renamed-from customers\nCREATE TABLE app.clients (\n  id int,\n\
                   -- pgfleet: renamed-from mail\n  email text, age int -- pgfleet: renamed-from years\n);\n\
                   -- pgfleet: renamed-from grown_ups\nCREATE VIEW adults AS SELECT 1;\n\
                   -- pgfleet: renamed-from old.f\nCREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1;";
        assert_eq!(
            texts(sql),
            [
                "table:app.customers=app.clients",
                "column:app.clients.mail=email",
                "column:app.customers.mail=email",
                "column:app.clients.years=age",
                "column:app.customers.years=age",
                "view:grown_ups=adults",
                "old.f=f",
            ]
        );
    }

    #[test]
    fn a_comment_that_cannot_be_meant_is_refused_with_its_place() {
        for (sql, line, why) in [
            ("\n-- pgfleet: renamed-form a\nCREATE TABLE b ();", 2, "perhaps \"renamed-from\""),
            ("-- pgfleet: renamed-from\nCREATE TABLE b ();", 1, "is no name"),
            ("CREATE TABLE b ();\n-- pgfleet: renamed-from a", 2, "no statement follows"),
            ("CREATE TABLE b (a int\n-- pgfleet: renamed-from c\n);", 2, "no column follows"),
            ("CREATE VIEW v AS\n-- pgfleet: renamed-from c\nSELECT 1;", 2, "only columns"),
            ("-- pgfleet: renamed-from a\nDROP TABLE b;", 1, "creates nothing"),
        ] {
            let problem = annotations(sql, "wanted.sql").unwrap_err();
            assert_eq!(problem.code, Code::RenameInvalid, "{sql}");
            assert_eq!(problem.place.as_ref().unwrap().line, line, "{sql}");
            assert!(problem.cause.as_ref().unwrap().contains(why), "{sql}: {problem:?}");
        }
        assert!(texts("-- pgfleet: batches\nUPDATE t SET a = 1;").is_empty());
        assert!(texts("SELECT '-- pgfleet: nonsense';").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(-- pgfleet: renamed-from \\PC{0,5}\n|CREATE TABLE t \\(|a int,|\\);|\\PC){0,12}") {
            let _ = annotations(&text, "wanted.sql");
        }
    }
}
