//! Statements with their places and facts: what a [`SqlBody`] becomes before it is planned.
//!
//! Splitting is the SQL crate's; this module adds the files: includes are read in, and every
//! problem gets its place and the line it stands on.

use std::ops::Range;

use pgfleet_sql::{
    Construct, Facts, Item, LineIndex, Problem as ScriptProblem, Script, Substitution, Variables,
    char_to_byte, classify, read_script_given, syntax,
};

use crate::batches::{self, Batches};
use crate::diagnose::{Code, Problem, Snippet};
use crate::folder::{Chunk, SqlBody};
use crate::place::Place;
use crate::plan::CopyRows;

/// The largest statement that is sent, in bytes. PostgreSQL itself ends at 1 GiB; long before
/// that a statement of this size costs the server several times its length in memory, and rows in
/// bulk belong into COPY.
pub const STATEMENT_MAX_BYTES: usize = 32 * 1024 * 1024;

/// How deep `\i` may nest before it is taken for a circle.
const INCLUDE_DEPTH_MAX: usize = 16;

/// The statements of a migration, in execution order, and what stands in the way of running them.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// In execution order.
    pub statements: Vec<Statement>,
    /// Errors stop the migration; warnings do not.
    pub problems: Vec<Problem>,
}

/// One statement to send.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The text to send, with its semicolon when the file has one.
    pub sql: String,
    /// Where its first character stands.
    pub place: Place,
    /// True when lines and columns inside `sql` count on from `place`.
    pub verbatim: bool,
    /// What it does.
    pub facts: Facts,
    /// The rows of a `COPY … FROM STDIN`.
    pub copy_data: Option<CopyRows>,
    /// How it is cut into transactions, when a comment above it asks for that.
    pub batches: Option<Batches>,
    /// A query that says whether it is to be run, when a comment above it has one.
    pub only_if: Option<String>,
}

/// Reads an included file: the path as written and whether it is relative to the including file,
/// the including file; gives the path to show and the text.
pub type ReadInclude<'a> = dyn Fn(&str, bool, &str) -> Option<(String, String)> + 'a;

/// Splits a body into statements.
pub fn build(body: &SqlBody, read_include: &ReadInclude<'_>) -> Program {
    build_given(body, read_include, &Variables::new())
}

/// Splits a body into statements, with a target's own values for `:NAME`, `:'NAME'` and `:"NAME"`;
/// they are quoted wherever they are written.
pub fn build_given(body: &SqlBody, read_include: &ReadInclude<'_>, given: &Variables) -> Program {
    let mut builder = Builder { program: Program::default(), read_include, given };
    let mut variables = Variables::new();
    for chunk in &body.chunks {
        variables = builder.add_chunk(chunk, variables, 0);
    }
    builder.program
}

/// The place of a byte offset in a text whose first character stands at `start`.
pub fn place_in(text: &str, start: &Place, verbatim: bool, offset: usize) -> Place {
    if !verbatim {
        return start.clone();
    }
    let position = LineIndex::new(text).position(offset);
    let column =
        if position.line == 1 { start.column + position.column - 1 } else { position.column };
    Place::at(start.file.clone(), start.line + position.line - 1, column)
}

/// The line of a text on which an offset stands, marked there.
pub fn snippet_at(text: &str, offset: usize, length: u32) -> Snippet {
    let index = LineIndex::new(text);
    let position = index.position(offset);
    let line_text = index.line_text(position.line).to_owned();
    Snippet { line_text, column: position.column, length: length.max(1) }
}

impl Statement {
    /// The place of a character position of an error report, counted from 1 within the statement.
    pub fn place_of(&self, character: usize) -> Place {
        place_in(&self.sql, &self.place, self.verbatim, char_to_byte(&self.sql, character))
    }
}

struct Builder<'a> {
    program: Program,
    read_include: &'a ReadInclude<'a>,
    given: &'a Variables,
}

/// A chunk and its lines, so that each is indexed once.
struct Text<'a> {
    chunk: &'a Chunk,
    lines: LineIndex<'a>,
}

impl Text<'_> {
    fn place(&self, offset: usize) -> Place {
        let start = &self.chunk.place;
        if !self.chunk.verbatim {
            return start.clone();
        }
        let position = self.lines.position(offset);
        let column = if position.line == 1 {
            start.column.max(1) + position.column - 1
        } else {
            position.column
        };
        Place::at(start.file.clone(), start.line.max(1) + position.line - 1, column)
    }

    fn snippet(&self, range: &Range<usize>) -> Snippet {
        let position = self.lines.position(range.start);
        let line_text = self.lines.line_text(position.line).to_owned();
        let marked = self.chunk.sql.get(range.clone()).unwrap_or_default();
        let marked = marked.lines().next().unwrap_or_default().chars().count();
        Snippet {
            line_text,
            column: position.column,
            length: u32::try_from(marked.max(1)).unwrap_or(1),
        }
    }
}

impl Builder<'_> {
    fn add_chunk(&mut self, chunk: &Chunk, variables: Variables, depth: usize) -> Variables {
        let text = Text { chunk, lines: LineIndex::new(&chunk.sql) };
        let script: Script = read_script_given(&chunk.sql, variables, self.given);
        for problem in &script.problems {
            self.program.problems.push(script_problem(&text, problem));
        }
        let mut variables = script.variables;
        let mut before = 0;
        for item in script.items {
            match item {
                Item::Statement { range, substituted } => {
                    let above = before..range.start;
                    before = range.end;
                    if self.add_statement(&text, range, substituted, None) {
                        self.add_batches(&text, above);
                    }
                }
                Item::Copy { statement, substituted, data } => {
                    before = statement.end.max(data.end);
                    self.add_statement(&text, statement, substituted, Some(data));
                }
                Item::Include { path, relative, range, variables: seen } => {
                    before = range.end;
                    if let Some(after) = self.include(&text, &path, relative, &range, seen, depth) {
                        variables.extend(after);
                    }
                }
                Item::Ignored { .. } => {}
            }
        }
        variables
    }

    /// False when the statement is too large to be taken.
    fn add_statement(
        &mut self,
        text: &Text<'_>,
        range: Range<usize>,
        substituted: Option<Substitution>,
        data: Option<Range<usize>>,
    ) -> bool {
        let place = text.place(range.start);
        if range.len() > STATEMENT_MAX_BYTES {
            self.program.problems.push(too_large(&place, range.len()));
            return false;
        }
        let verbatim = text.chunk.verbatim && substituted.is_none();
        let sql = substituted.map_or_else(|| text.chunk.sql[range].to_owned(), |new| new.text);
        let copy_data = data.map(|range| CopyRows::of(&text.chunk.sql[range]));
        let facts = classify(&sql);
        let (batches, only_if) = (None, None);
        self.program.statements.push(Statement {
            sql,
            place,
            verbatim,
            facts,
            copy_data,
            batches,
            only_if,
        });
        true
    }

    /// What a comment in `above` asks for the statement that was added last.
    fn add_batches(&mut self, text: &Text<'_>, above: Range<usize>) {
        let Some(between) = text.chunk.sql.get(above.clone()) else { return };
        let Some(statement) = self.program.statements.last_mut() else { return };
        statement.only_if = batches::condition(between).map(str::to_owned);
        let asked = batches::annotation(between);
        let parsed = asked.map(|(at, asked)| (at, batches::parse(asked, &statement.sql)));
        let (at, problem) = match (batches::unknown(between), parsed) {
            (Some((at, why)), _) => (at, annotation_unknown(why)),
            (None, Some((at, Err(why)))) => (at, batches_invalid(&why)),
            (None, Some((_, Ok(batches)))) => {
                statement.batches = Some(batches);
                return;
            }
            (None, None) => return,
        };
        let start = above.start + at;
        let line = between[at..].lines().next().unwrap_or_default().trim_end();
        let mut problem = problem.at(text.place(start));
        problem.snippet = Some(text.snippet(&(start..start + line.len())));
        self.program.problems.push(problem);
    }

    fn include(
        &mut self,
        text: &Text<'_>,
        path: &str,
        relative: bool,
        range: &Range<usize>,
        variables: Variables,
        depth: usize,
    ) -> Option<Variables> {
        let place = text.place(range.start);
        let found = (self.read_include)(path, relative, &text.chunk.place.file);
        let Some((file, sql)) = found.filter(|_| depth < INCLUDE_DEPTH_MAX) else {
            let mut problem = include_missing(path, depth).at(place);
            problem.snippet = Some(text.snippet(range));
            self.program.problems.push(problem);
            return None;
        };
        let chunk = Chunk { sql, place: Place::at(file, 1, 1), verbatim: true };
        Some(self.add_chunk(&chunk, variables, depth + 1))
    }
}

fn annotation_unknown(what: String) -> Problem {
    Problem::error(Code::BatchesInvalid, what)
        .because("a comment that is misspelt would change how the statement runs without a word")
        .fix(
            "Correct the word; other comments may say what they like, but not behind \"pgfleet:\".",
        )
}

fn batches_invalid(why: &str) -> Problem {
    Problem::error(Code::BatchesInvalid, format!("the comment asks for batches in vain: {why}"))
        .because("without it the statement would run in one transaction, which nobody asked for")
        .fix("Write for example: -- pgfleet: batches key=id size=5000 pause=50ms")
}

/// What the parser has against the statements of a program; for preflight, as it costs more than
/// splitting.
pub fn syntax_problems(program: &Program) -> Vec<Problem> {
    let of = |statement: &Statement| {
        let errors = syntax::errors(&statement.sql);
        errors.into_iter().next().map(|error| syntax_problem(statement, &error))
    };
    program.statements.iter().filter_map(of).collect()
}

fn syntax_problem(statement: &Statement, error: &syntax::SyntaxError) -> Problem {
    let place = place_in(&statement.sql, &statement.place, statement.verbatim, error.range.start);
    let problem = match error.perhaps_newer {
        true => Problem::warning(
            Code::SyntaxInvalid,
            format!("PostgreSQL may not accept this: {}", error.message),
        )
        .because("no server up to PostgreSQL 18 has such a command; a newer one may")
        .fix_with("Ask the server.", "pgfleet apply --dry-run"),
        false => Problem::error(
            Code::SyntaxInvalid,
            format!("PostgreSQL does not accept this: {}", error.message),
        )
        .fix("Correct it; the mistake may stand just before this place."),
    };
    let mut problem = problem.at(place);
    let length = u32::try_from(error.range.len()).unwrap_or(1);
    problem.snippet = Some(snippet_at(&statement.sql, error.range.start, length));
    problem
}

fn script_problem(text: &Text<'_>, problem: &ScriptProblem) -> Problem {
    let (range, described) = match problem {
        ScriptProblem::Refused { command, reason, fix, range } => (
            range.clone(),
            Problem::error(Code::ScriptMetaRefused, format!("\\{command} cannot be honoured here"))
                .because(reason.clone())
                .fix(fix.clone()),
        ),
        ScriptProblem::Unterminated { construct, opened_at } => {
            (*opened_at..*opened_at + 1, unterminated(construct))
        }
        ScriptProblem::CopyWithoutEnd { statement } => (
            statement.clone(),
            Problem::error(Code::ScriptUnterminated, "COPY data is never ended")
                .because("COPY … FROM STDIN takes the following lines as data until a line `\\.`")
                .fix("Add a line with `\\.` after the data, or remove the statement."),
        ),
        ScriptProblem::UnsetVariable { name, range } => (
            range.clone(),
            Problem::error(
                Code::ScriptMetaRefused,
                format!("the psql variable {name:?} is not set"),
            )
            .because("psql would send the text as it is and the server would reject it")
            .fix(format!("Set it in the file: \\set {name} value")),
        ),
        ScriptProblem::UnsafeVariable { name, range } => (
            range.clone(),
            Problem::error(
                Code::ScriptMetaRefused,
                format!("the psql variable {name:?} holds text that would end the statement"),
            )
            .fix(format!("Write :'{name}' or :\"{name}\" so that it is quoted.")),
        ),
    };
    let mut described = described.at(text.place(range.start));
    described.snippet = Some(text.snippet(&range));
    described
}

fn unterminated(construct: &Construct) -> Problem {
    let what = match construct {
        Construct::String => "a string literal '…'".to_owned(),
        Construct::Identifier => "a quoted identifier \"…\"".to_owned(),
        Construct::DollarString(tag) => format!("a dollar-quoted body {tag}…{tag}"),
        Construct::Comment => "a comment /* … */".to_owned(),
        Construct::Parenthesis => "a parenthesis".to_owned(),
        Construct::AtomicBody => "a function body BEGIN ATOMIC … END".to_owned(),
    };
    Problem::error(Code::ScriptUnterminated, format!("{what} is never closed"))
        .because("everything after it would be taken as part of it")
        .fix("Close it where it should end.")
}

fn include_missing(path: &str, depth: usize) -> Problem {
    if depth >= INCLUDE_DEPTH_MAX {
        return Problem::error(Code::IncludeMissing, format!("{path:?} is included in a circle"))
            .because(format!("includes are {INCLUDE_DEPTH_MAX} deep"))
            .fix("Remove the include that leads back.");
    }
    Problem::error(Code::IncludeMissing, format!("the included file {path:?} does not exist"))
        .because("\\i is looked up from the migration folder, \\ir from the including file")
        .fix("Correct the path; included files must lie in the migration folder.")
}

fn too_large(place: &Place, bytes: usize) -> Problem {
    let (is, limit) = (bytes / (1 << 20), STATEMENT_MAX_BYTES / (1 << 20));
    Problem::error(
        Code::StatementTooLarge,
        format!("a statement of {is} MiB is over the limit of {limit} MiB"),
    )
    .at(place.clone())
    .because("the server needs several times a statement's length in memory to parse it")
    .fix("Load the rows with COPY … FROM STDIN, or split the INSERT into many.")
}
