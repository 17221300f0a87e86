//! What a diagnosis is made of, besides the server's error: the statement's side and the
//! catalog's side.

use pgfleet_sql::Facts;

use crate::place::Place;

/// The statement that failed and the folder that it stands in.
#[derive(Debug, Clone)]
pub struct FailureContext<'a> {
    /// The text that was sent; [`super::ServerError::position`] counts in it.
    pub statement: &'a str,
    /// What the text says that it does.
    pub facts: &'a Facts,
    /// Where the text's first character stands.
    pub place: Option<Place>,
    /// True when lines and columns inside the statement count on from the place.
    pub verbatim: bool,
    /// What a person calls the migration; empty outside of one.
    pub migration: &'a str,
    /// What the rest of the folder has to do with it.
    pub folder: &'a FolderFacts,
}

/// What the folder's other migrations have to do with a failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderFacts {
    /// The version of the migration that failed.
    pub version: String,
    /// Objects that migrations of the folder create, in the folder's order.
    pub creators: Vec<Creator>,
    /// Objects that migrations before the failed one drop or rename.
    pub gone: Vec<Gone>,
}

/// A migration that creates an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Creator {
    /// The object's own name, without its schema.
    pub object: String,
    /// Of a column, its table's own name.
    pub column_of: Option<String>,
    /// The migration's version.
    pub version: String,
    /// What a person calls the migration.
    pub label: String,
    /// Whether the history has it.
    pub applied: bool,
    /// Whether it stands after the failed one.
    pub later: bool,
}

/// An object that a migration takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The object's own name, without its schema.
    pub object: String,
    /// Of a column, its table's own name.
    pub column_of: Option<String>,
    /// What a person calls the migration.
    pub label: String,
    /// The name that it gives instead; `None` where it drops the object.
    pub new_name: Option<String>,
}

/// What the catalog says about a failure. Whatever was not asked or could not be found out is
/// empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogFacts {
    /// The role that acted.
    pub current_user: String,
    /// The setting.
    pub search_path: String,
    /// `150004` for 15.4.
    pub version_num: u32,
    /// The object that exists already, or that is not allowed to us.
    pub existing: Option<ExistingObject>,
    /// How an existing object compares to what the statement would create.
    pub comparison: Option<Comparison>,
    /// Names of about the missing one's length, of which the nearest was probably meant.
    pub similar: Vec<String>,
    /// Schemas outside the search path that have the missing name.
    pub elsewhere: Vec<String>,
    /// Sessions that hold a lock that was waited for.
    pub blockers: Vec<Blocker>,
    /// Rows that break a new rule.
    pub violations: Option<Violations>,
    /// Objects that depend on what was to be dropped.
    pub dependents: Vec<String>,
    /// Extensions that the server could install.
    pub extensions: Vec<String>,
}

/// An object of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingObject {
    /// `table`, `index`, `function` …
    pub kind: String,
    /// Qualified and quoted.
    pub name: String,
    /// The role that owns it.
    pub owner: String,
}

/// How an existing object compares to what a statement would create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing differs.
    Identical,
    /// What differs, one a line.
    Different(Vec<String>),
}

/// A session in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Its process.
    pub pid: i32,
    /// Its role.
    pub user: String,
    /// Its `application_name`.
    pub application: String,
    /// `active`, `idle in transaction` …
    pub state: String,
    /// How long its transaction has been open, in seconds.
    pub transaction_age_s: u64,
    /// What it runs or ran last, shortened.
    pub query: String,
}

/// Rows that break a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    /// How many.
    pub count: u64,
    /// Some of them, as `column=value`.
    pub samples: Vec<String>,
    /// The query that finds them.
    pub query: String,
}

/// The last part of a dotted name, without quotes.
pub(super) fn own_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name).trim_matches('"')
}
