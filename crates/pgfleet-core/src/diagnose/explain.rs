//! The server's error, the statement and the catalog's facts become one [`Problem`].

use super::facts::{CatalogFacts, FailureContext};
use super::{Code, Problem, ServerError, Snippet};
use super::{data, exists, missing, permission, syntax, waiting};
use crate::place::Place;

/// Says why a statement failed and what to do.
#[must_use]
pub fn diagnose(
    error: &ServerError,
    context: &FailureContext<'_>,
    catalog: &CatalogFacts,
) -> Problem {
    let failure = Failure { error, context, catalog };
    let mut problem = failure.problem();
    problem.sqlstate = Some(error.sqlstate.clone());
    problem.details.extend(error.detail.iter().map(|detail| format!("the server adds: {detail}")));
    problem.details.extend(error.hint.iter().map(|hint| format!("the server suggests: {hint}")));
    problem.details.extend(error.where_.iter().map(|stack| format!("in: {}", first_line(stack))));
    failure.locate(problem)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What the explanations of the single kinds of errors work on.
pub(super) struct Failure<'a> {
    pub(super) error: &'a ServerError,
    pub(super) context: &'a FailureContext<'a>,
    pub(super) catalog: &'a CatalogFacts,
}

impl Failure<'_> {
    fn problem(&self) -> Problem {
        match self.error.sqlstate.as_str() {
            "42P07" | "42710" | "42723" | "42P06" | "42701" | "42P04" => exists::explain(self),
            "42P01" | "42703" | "42883" | "42704" | "3F000" => missing::explain(self),
            "42501" if self.error.message.contains("row-level security") => {
                permission::row_security(self)
            }
            "42501" => permission::explain(self),
            "42601" | "42P13" | "42P16" | "42602" | "42622" => syntax::explain(self),
            "23502" | "23505" | "23503" | "23514" | "23P01" => data::rows_violate(self),
            "22001" | "22003" | "22P02" | "22007" | "22008" => data::values(self),
            "42804" | "42846" | "42P18" => data::types(self),
            "2BP01" => data::dependents(self),
            "55P03" => waiting::lock_timeout(self),
            "40P01" | "40001" => waiting::deadlock(self),
            "57014" => waiting::cancelled(self),
            "25001" => waiting::transaction_forbidden(self),
            "55P04" => waiting::enum_value(self),
            "25006" => waiting::read_only(self),
            "53100" | "53200" | "53300" | "53400" | "54000" => waiting::resources(self),
            "0A000" | "58P01" | "22023" if self.concerns_extension() => {
                missing::extension_unavailable(self)
            }
            "57P01" | "57P02" | "57P03" => waiting::lost(self),
            sqlstate if sqlstate.starts_with("08") => waiting::lost(self),
            _ => self.say(Code::StatementFailed).fix("see the server's message and its log"),
        }
    }

    /// A problem with the server's own words as its first sentence.
    pub(super) fn say(&self, code: Code) -> Problem {
        let message = &self.error.message;
        let what = match self.context.migration {
            "" => message.clone(),
            migration => format!("{migration}: {message}"),
        };
        Problem::error(code, what)
    }

    fn concerns_extension(&self) -> bool {
        let message = &self.error.message;
        message.contains("extension") || message.contains("access file")
    }

    /// The nth text in double quotes of the message; the server names objects so.
    pub(super) fn quoted(&self, nth: usize) -> Option<&str> {
        self.error.message.split('"').nth(2 * nth + 1)
    }

    /// Adds the place and the line with the offending text.
    fn locate(&self, mut problem: Problem) -> Problem {
        let at = self.error.position.and_then(|position| usize::try_from(position).ok());
        let (line, column, text) = line_of(self.context.statement, at.unwrap_or(1));
        problem.place = self.context.place.as_ref().map(|place| shifted(place, line, column));
        problem.snippet = (!text.is_empty()).then(|| Snippet {
            line_text: text.to_owned(),
            column: at.map_or(0, |_| column),
            length: at.map_or(0, |_| word_length(text, column)),
        });
        problem
    }
}

/// The 1-based line and column of a 1-based character position, and the line's text.
fn line_of(text: &str, position: usize) -> (u32, u32, &str) {
    let mut left = position.saturating_sub(1);
    let mut number = 1;
    for line in text.split('\n') {
        let length = line.chars().count();
        if left <= length {
            let column = u32::try_from(left).unwrap_or(u32::MAX).saturating_add(1);
            return (number, column, line.trim_end_matches('\r'));
        }
        left -= length + 1;
        number += 1;
    }
    (1, 1, text.lines().next().unwrap_or_default())
}

/// The place of a line and column of the statement, in its file.
fn shifted(start: &Place, line: u32, column: u32) -> Place {
    match (start.line, line) {
        (0, _) => start.clone(),
        (first, 1) => Place::at(&start.file, first, start.column.max(1) + column - 1),
        (first, line) => Place::at(&start.file, first + line - 1, column),
    }
}

fn word_length(line: &str, column: u32) -> u32 {
    let skipped = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let is_word = |c: &char| c.is_alphanumeric() || "_.\"".contains(*c);
    let length = line.chars().skip(skipped).take_while(is_word).count();
    u32::try_from(length).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_become_lines_of_the_file() {
        let text = "CREATE TABLE t (\r\n  é naem\n)";
        assert_eq!(line_of(text, 1), (1, 1, "CREATE TABLE t ("));
        assert_eq!(line_of(text, 23), (2, 5, "  é naem"));
        assert_eq!(line_of(text, 999).0, 1);
        let start = Place::at("a.sql", 10, 5);
        assert_eq!(shifted(&start, 1, 3).to_string(), "a.sql:10:7");
        assert_eq!(shifted(&start, 2, 5).to_string(), "a.sql:11:5");
        assert_eq!(word_length("  é naem", 5), 4);
    }
}
