//! Reads and validates declarations: the `[[check]]` tables of a file.

use std::ops::Range;

use pgfleet_sql::{Construct, LineIndex, PieceKind, Unterminated, split};
use serde::Deserialize;

use super::{Check, ColumnExpectation, Counted};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    #[serde(default)]
    check: Vec<toml::Spanned<toml::Value>>,
}

/// Reads a file of `[[check]]` tables, such as `checks.toml`; `file` is its name in messages.
///
/// # Errors
/// Every problem of the text ([`Code::CheckInvalid`]) with its place: TOML syntax, an unknown
/// kind or key, or an expectation that cannot be meant.
pub fn parse_declaration(text: &str, file: &str) -> Result<Vec<Check>, Vec<Problem>> {
    let declaration: Declaration =
        toml::from_str(text).map_err(|error| vec![toml_problem(text, file, &error)])?;
    let mut checks = Vec::new();
    let mut problems = Vec::new();
    for entry in declaration.check {
        let span = entry.span();
        match entry.into_inner().try_into::<Check>().map_err(|error| error.message().to_owned()) {
            Ok(check) => match check.invalid() {
                Some(wrong) => problems.push(invalid(wrong, text, file, Some(span))),
                None => checks.push(check),
            },
            Err(wrong) => problems.push(invalid(wrong, text, file, Some(span))),
        }
    }
    if problems.is_empty() { Ok(checks) } else { Err(problems) }
}

/// What is wrong with checks that were read as part of another file; empty when nothing is.
pub fn declaration_problems(checks: &[Check], file: &str) -> Vec<Problem> {
    let wrong = checks.iter().filter_map(|check| Some((check, check.invalid()?)));
    wrong
        .map(|(check, wrong)| {
            let what = format!("check \"{}\": {wrong}", check.name());
            Problem::error(Code::CheckInvalid, what).at(Place::file(file))
        })
        .collect()
}

fn toml_problem(text: &str, file: &str, error: &toml::de::Error) -> Problem {
    invalid(error.message().to_owned(), text, file, error.span())
}

fn invalid(wrong: String, text: &str, file: &str, span: Option<Range<usize>>) -> Problem {
    let position = span.map(|span| LineIndex::new(text).position(span.start));
    let place =
        position.map_or_else(|| Place::file(file), |at| Place::at(file, at.line, at.column));
    Problem::error(Code::CheckInvalid, wrong)
        .at(place)
        .fix("docs/checks.md lists the kinds and keys")
}

impl Check {
    /// Why the declaration cannot be meant, if so.
    pub(super) fn invalid(&self) -> Option<String> {
        if self.counted().is_some_and(Counted::contradicts) {
            return Some("`exactly` excludes `at_least` and `at_most`".to_owned());
        }
        if self.expects_nothing() {
            return Some("the check expects nothing, so it would always pass".to_owned());
        }
        match self {
            Self::Http(http) => http.invalid(),
            Self::Isolation(check) => {
                check.tables.is_empty().then(|| "`tables` is empty".to_owned())
            }
            Self::Sql(_) | Self::Rows(_) => self.not_one_expression(),
            Self::Columns(columns) => match &columns.columns {
                ColumnExpectation::Names(names) if names.is_empty() => {
                    Some("`columns` is empty".to_owned())
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// SQL that would end early, or take in what follows it, could answer for another check.
    fn not_one_expression(&self) -> Option<String> {
        let (key, sql) = match self {
            Self::Sql(check) => ("query", check.query.trim().trim_end_matches(';')),
            Self::Rows(check) => ("where", check.condition.as_deref()?),
            _ => return None,
        };
        let wrapped = format!("SELECT (\n{sql}\n)");
        let mut statements = 0;
        for piece in split(&wrapped) {
            match piece.kind {
                PieceKind::Statement => statements += 1,
                PieceKind::Unterminated(Unterminated { construct, .. }) => {
                    return Some(format!("`{key}` leaves {} open", named(&construct)));
                }
                PieceKind::Meta | PieceKind::CopyData => {
                    return Some(format!("`{key}` holds a psql command"));
                }
                PieceKind::Trivia => {}
            }
        }
        match statements {
            _ if sql.trim().is_empty() => Some(format!("`{key}` is empty")),
            1 if !closes_early(sql) => None,
            _ => Some(format!("`{key}` is more than one statement")),
        }
    }

    fn expects_nothing(&self) -> bool {
        let no_count = self.counted().is_none_or(|counted| counted == Counted::default());
        no_count
            && match self {
                Self::Tables(check) => check.list.is_empty(),
                Self::Indexes(check) => check.list.is_empty(),
                Self::Triggers(check) => check.list.is_empty(),
                Self::ForeignKeys(check) => check.list.is_empty(),
                Self::Functions(check) => check.list.is_empty(),
                Self::Policies(check) => {
                    check.list.is_empty() && check.enabled.is_empty() && check.forced.is_empty()
                }
                Self::Extensions(check) => check.list.is_empty(),
                Self::Env(check) => check.variables.is_empty(),
                Self::Sql(check) => {
                    check.equals.is_none()
                        && check.at_least.is_none()
                        && check.at_most.is_none()
                        && check.matches.is_none()
                }
                Self::Rows(_) => true,
                Self::Columns(_) | Self::Enums(_) | Self::Http(_) => false,
                Self::Isolation(_) | Self::Reference(_) => false,
            }
    }
}

/// True when the text closes a parenthesis that it did not open.
fn closes_early(sql: &str) -> bool {
    // Alone, such a text would be split where its own semicolons stand.
    split(sql).iter().filter(|piece| piece.kind == PieceKind::Statement).count() > 1
}

fn named(construct: &Construct) -> &'static str {
    match construct {
        Construct::String => "a string",
        Construct::Identifier => "a quoted name",
        Construct::DollarString(_) => "a dollar-quoted string",
        Construct::Comment => "a comment",
        Construct::Parenthesis => "a parenthesis",
        Construct::AtomicBody => "a function body",
    }
}

impl Counted {
    fn contradicts(self) -> bool {
        self.exactly.is_some() && (self.at_least.is_some() || self.at_most.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(query: &str) -> String {
        format!("[[check]]\nkind = \"sql\"\nequals = 1\nquery = \"{query}\"")
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, said, line) in [
            ("[[check]]\nkind = \"tabels\"\n", "unknown variant `tabels`", 1),
            ("\n[[check]]\nkind = \"tables\"\natleast = 3\n", "unknown field `atleast`", 2),
            ("[[check]]\nkind = \"tables\"\n", "expects nothing", 1),
            ("[[check]]\nkind = \"rows\"\ntable = \"t\"\nexactly = 1\nat_least = 1", "excludes", 1),
            ("[[check]]\nkind = \"foreign_keys\"\nlist = [\"a.b\"]", "is not a foreign key", 1),
            ("[[check]]\nkind = \"http\"\nurl = \"ftp://h\"", "is not an http:// or", 1),
            (&sql("select 1; select 2"), "more than one statement", 1),
            (&sql("select 1); select (2"), "more than one statement", 1),
            (&sql("select 1); drop table t; select (2"), "more than one statement", 1),
            (&sql("select 'a"), "leaves a string open", 1),
            (&sql("select (1"), "leaves a parenthesis open", 1),
            (&sql(" ; "), "`query` is empty", 1),
            ("[[check]\n", "", 1),
            ("check = 1\n", "", 1),
        ] {
            let problems = parse_declaration(text, "checks.toml").unwrap_err();
            let problem = &problems[0];
            assert!(problem.what.contains(said), "{text}: {}", problem.what);
            assert_eq!(problem.place.as_ref().map(|place| place.line), Some(line), "{text}");
        }
    }

    #[test]
    fn every_example_of_the_reference_is_valid_and_every_kind_has_one() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checks.md"));
        let mut seen = std::collections::BTreeSet::new();
        for block in page.split("```toml\n").skip(1) {
            let (toml, rest) = block.split_once("```").unwrap();
            let checks = parse_declaration(toml, "docs/checks.md");
            let checks = checks.unwrap_or_else(|problems| panic!("{problems:?}\n{toml}"));
            assert!(!checks.is_empty() && rest.starts_with('\n'), "{toml}");
            seen.extend(checks.iter().map(Check::kind));
        }
        assert_eq!(seen.len(), 15, "{seen:?}");
    }
}
