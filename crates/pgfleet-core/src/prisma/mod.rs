//! `schema.prisma` as a desired schema: text becomes the tables that Prisma would create.
//!
//! [`read`] parses the files and resolves names, types, defaults and relations into a
//! [`Database`]; [`ddl`] writes that as SQL. Invariant: for an empty database the SQL is what
//! Prisma's own schema engine writes, statement for statement and byte for byte, but for names with
//! a double quote, which Prisma does not escape. The parser is our own: Prisma's, republished as
//! saola-psl, brings 115 packages and checks for databases that do not concern us. What Prisma
//! rejects as a mere style is accepted here; what would change the tables is an error with its place.

pub mod beyond;
mod constraint_name;
mod database;
mod ddl;
mod lexer;
mod parser;
mod resolve;
mod syntax;
#[cfg(test)]
mod tests;

use crate::diagnose::{Code, Problem, Snippet};
use crate::place::Place;

pub use constraint_name::kept_name;
pub use database::{
    Column, ColumnKind, Database, EnumType, Extension, ForeignKey, Index, IndexColumn, ObjectName,
    PrimaryKey, ReferentialAction, Table,
};
pub use ddl::{Part, ddl, ddl_of};

use syntax::Position;

/// Prisma's default schema: its objects are written without a schema.
pub const DEFAULT_SCHEMA: &str = "public";

/// One file of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFile {
    /// As the user would type it; messages name it.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Something in a schema that Prisma would not accept either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
struct SchemaError {
    message: String,
    at: Position,
}

impl SchemaError {
    fn new(message: impl Into<String>, at: Position) -> Self {
        Self { message: message.into(), at }
    }
}

/// Reads a schema of one or several files, in the order in which Prisma is given them.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn read(files: &[SchemaFile]) -> Result<Database, Vec<Problem>> {
    let mut declarations = Vec::new();
    let mut errors = Vec::new();
    for (number, file) in files.iter().enumerate() {
        match parser::parse(&file.text, number) {
            Ok(parsed) => declarations.extend(parsed),
            Err(found) => errors.extend(found),
        }
    }
    let resolved = if errors.is_empty() { resolve::resolve(&declarations) } else { Err(errors) };
    resolved.map_err(|errors| errors.iter().map(|error| problem(files, error)).collect())
}

fn problem(files: &[SchemaFile], error: &SchemaError) -> Problem {
    let problem = Problem::error(Code::PrismaSchemaInvalid, error.message.clone());
    let Some(file) = files.get(error.at.file) else { return problem };
    let line = file.text.lines().nth(error.at.line.saturating_sub(1) as usize);
    let mut problem = problem.at(Place::at(&file.path, error.at.line, error.at.column));
    problem.snippet =
        line.map(|line| Snippet { line_text: line.to_owned(), column: error.at.column, length: 1 });
    problem.fix_with("Prisma's own check says more.", "npx prisma validate")
}
