//! The server's error, the statement and the catalog's facts become one [`Problem`].

use pgfleet_sql::char_to_byte;

use super::facts::{CatalogFacts, Creator, FailureContext, Gone, own_name};
use super::{Code, Problem, ServerError, Snippet};
use super::{data, exists, missing, permission, syntax, waiting};
use crate::place::Place;
use crate::program::{place_in, snippet_at};

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
            "2D000" => waiting::commits_inside(self),
            "55P04" => waiting::enum_value(self),
            "25006" => waiting::read_only(self),
            "53100" | "53200" | "53300" | "53400" | "54000" => waiting::resources(self),
            "0A000" | "58P01" | "22023" if self.concerns_extension() => {
                missing::extension_unavailable(self)
            }
            "57P01" | "57P02" | "57P03" => waiting::lost(self),
            sqlstate if sqlstate.starts_with("08") && self.reaches_out() => {
                waiting::other_server(self)
            }
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

    /// The server speaks of a connection that it made itself, and not of ours.
    fn reaches_out(&self) -> bool {
        self.context.facts.label.ends_with("SUBSCRIPTION")
            || self.error.message.starts_with("could not ")
    }

    fn concerns_extension(&self) -> bool {
        let message = &self.error.message;
        message.contains("extension") || message.contains("access file")
    }

    /// The nth text in double quotes of the message; the server names objects so.
    pub(super) fn quoted(&self, nth: usize) -> Option<&str> {
        self.error.message.split('"').nth(2 * nth + 1)
    }

    /// The migrations that create what the server calls `name` (schema not regarded).
    pub(super) fn creators_of<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Creator> {
        let creators = self.context.folder.creators.iter();
        creators.filter(move |creator| {
            creator.object == own_name(name) && self.is_about(creator.column_of.as_deref())
        })
    }

    /// The migration before this one that took away what the server calls `name`.
    pub(super) fn gone(&self, name: &str) -> Option<&Gone> {
        let mut gone = self.context.folder.gone.iter().rev();
        gone.find(|gone| gone.object == own_name(name) && self.is_about(gone.column_of.as_deref()))
    }

    /// Whether the error may concern a column of that table, or, without one, what is no column.
    fn is_about(&self, table: Option<&str>) -> bool {
        let concerns_column = self.error.is("42703") || self.error.is("42701");
        let Some(table) = table else { return !concerns_column };
        let named = self.error.message.split_once("of relation ").and_then(|_| self.quoted(1));
        concerns_column && named.map_or_else(|| self.mentions(table), |named| named == table)
    }

    /// Whether the statement names that table.
    fn mentions(&self, table: &str) -> bool {
        let facts = self.context.facts;
        let locked = facts.locks.iter().filter_map(|lock| lock.relation.as_ref());
        let objects = facts.uses.iter().chain(&facts.alters);
        let names = objects.flat_map(|object| [Some(&object.name), object.on.as_ref()]).flatten();
        names.chain(locked).any(|name| name.name == table)
    }

    /// Adds the place and the line with the offending text.
    fn locate(&self, mut problem: Problem) -> Problem {
        let (text, context) = (self.context.statement, self.context);
        let at = self.error.position.and_then(|position| usize::try_from(position).ok());
        let offset = at.map_or(0, |at| char_to_byte(text, at));
        let place = |start: &Place| place_in(text, start, context.verbatim, offset);
        problem.place = context.place.as_ref().map(place);
        if !text.is_empty() {
            let marked = snippet_at(text, offset, word_length(text, offset));
            problem.snippet = Some(match at {
                Some(_) => marked,
                None => Snippet { column: 0, length: 0, ..marked },
            });
        }
        problem
    }
}

fn word_length(text: &str, offset: usize) -> u32 {
    let is_word = |c: &char| c.is_alphanumeric() || "_.\"".contains(*c);
    let word = text.get(offset..).unwrap_or_default().chars().take_while(is_word);
    u32::try_from(word.count()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::FolderFacts;

    /// A server of version 16 or later does not say so any more.
    #[test]
    fn older_servers_want_a_name_for_a_subquery() {
        let statement = "SELECT 1 FROM (SELECT 1)";
        let context = FailureContext {
            statement,
            facts: &pgfleet_sql::classify(statement),
            place: None,
            verbatim: true,
            migration: "7",
            folder: &FolderFacts::default(),
        };
        let error = ServerError {
            sqlstate: "42601".to_owned(),
            message: "subquery in FROM must have an alias".to_owned(),
            position: Some(15),
            ..ServerError::default()
        };
        let problem = diagnose(&error, &context, &CatalogFacts::default());
        assert!(problem.cause.is_some_and(|cause| cause.contains("before 16")));
    }
}
