//! The form of `split.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::place_name::{ColumnsOf, FamilyTable};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// `split.toml`, as written.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SplitFile {
    /// The database to split.
    #[serde(default)]
    pub source: SourceSection,
    /// Values of `:'name'` in conditions, expressions, queries and seeds.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The databases to fill, by name.
    #[serde(default)]
    pub families: BTreeMap<String, FamilySection>,
    /// What each table of them is filled with.
    #[serde(default, rename = "table")]
    pub tables: Vec<TableSection>,
    /// What is run in them once their tables are filled.
    #[serde(default, rename = "seed")]
    pub seeds: Vec<SeedSection>,
    /// Foreign keys between databases.
    #[serde(default, rename = "reference")]
    pub references: Vec<ReferenceSection>,
    /// What is not moved, on purpose.
    pub left_behind: Option<LeftBehindSection>,
}

/// `[source]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSection {
    /// A URL or `env:NAME`; without it the target of the command line and `pgfleet.toml`.
    pub url: Option<String>,
}

/// `[families.NAME]`: one database to create, migrate and fill.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FamilySection {
    /// The database's name; `${NAME}` and `env:NAME` are environment variables.
    pub database: String,
    /// Where its server is, when it is not the source's.
    pub url: Option<String>,
    /// Its migration folder.
    pub dir: String,
    /// The folder's dialect.
    pub format: Option<String>,
    /// Values that only this database's tables and seeds see.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// `[[table]]`: what one table is filled with.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TableSection {
    /// `family.table` or `family.schema.table`.
    pub into: String,
    /// The source's table; the same name when neither this nor `query` is given.
    pub from: Option<String>,
    /// A query on the source whose columns are named as the table's.
    pub query: Option<String>,
    /// Column → SQL expression over the source's row, which is called `s`. Columns that are not
    /// named take the source's column of the same name.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Which of the source's rows: an SQL condition over `s`.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// What becomes of soft-deleted rows.
    #[serde(default)]
    pub soft_deleted: SoftDeleted,
    /// The column that marks them.
    #[serde(default = "deleted_at")]
    pub soft_delete_column: String,
    /// The source's columns that are not moved, on purpose.
    #[serde(default)]
    pub leave: Vec<String>,
}

fn deleted_at() -> String {
    "deleted_at".to_owned()
}

/// What becomes of rows whose soft-delete column is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SoftDeleted {
    /// They are moved as they are.
    #[default]
    Copy,
    /// They stay behind.
    Skip,
}

/// `[[seed]]`: rows of a database that are not in the source.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SeedSection {
    /// What a person calls it.
    pub name: String,
    /// The database's family.
    pub family: String,
    /// SQL that is run once, in one transaction.
    pub sql: String,
    /// Run it when all tables are filled, and not before any is.
    #[serde(default)]
    pub after: bool,
}

/// `[[reference]]`: rows of one database that name rows of another.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceSection {
    /// `family.table(column, …)` that refers.
    pub from: String,
    /// `family.table(column, …)` that is referred to.
    pub to: String,
}

/// `[left_behind]`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LeftBehindSection {
    /// The source's tables that no database gets.
    #[serde(default)]
    pub tables: Vec<String>,
}

/// Reads `split.toml`; `file` is its name in messages.
///
/// # Errors
/// Every problem of the text, with its place where it has one.
pub fn parse(text: &str, file: &str) -> Result<SplitFile, Vec<Problem>> {
    let parsed: SplitFile = toml::from_str(text).map_err(|error| {
        vec![crate::config::toml_problem(text, file, Code::SplitInvalid, &error)]
    })?;
    let problems: Vec<_> = invalid(&parsed)
        .into_iter()
        .map(|what| {
            Problem::error(Code::SplitInvalid, what)
                .at(Place::file(file))
                .fix("docs/split.md describes the file.")
        })
        .collect();
    if problems.is_empty() { Ok(parsed) } else { Err(problems) }
}

fn invalid(file: &SplitFile) -> Vec<String> {
    let mut wrong = Vec::new();
    if file.families.is_empty() {
        wrong.push("there is no [families.NAME], so nothing to split into".to_owned());
    }
    let mut seen = std::collections::BTreeSet::new();
    for table in &file.tables {
        wrong.extend(invalid_table(file, table));
        if !seen.insert(&table.into) {
            wrong.push(format!("{} is filled twice", table.into));
        }
    }
    for seed in file.seeds.iter().filter(|seed| !file.families.contains_key(&seed.family)) {
        wrong.push(format!(
            "seed {:?} is for family {:?}, which is not there",
            seed.name, seed.family
        ));
    }
    for side in file.references.iter().flat_map(|reference| [&reference.from, &reference.to]) {
        match ColumnsOf::parse(side) {
            None => wrong.push(format!("{side:?} is not family.table(column, …)")),
            Some(columns) => wrong.extend(unknown_family(file, &columns.table)),
        }
    }
    wrong.extend(file.references.iter().filter_map(unlike_sides));
    wrong
}

fn invalid_table(file: &SplitFile, table: &TableSection) -> Option<String> {
    let Some(name) = FamilyTable::parse(&table.into) else {
        return Some(format!("{:?} is not family.table", table.into));
    };
    if table.query.is_some() && (table.from.is_some() || table.condition.is_some()) {
        return Some(format!("{}: `query` excludes `from` and `where`", table.into));
    }
    unknown_family(file, &name)
}

fn unknown_family(file: &SplitFile, table: &FamilyTable) -> Option<String> {
    let known: Vec<_> = file.families.keys().map(String::as_str).collect();
    (!file.families.contains_key(&table.family)).then(|| {
        format!("{table}: no family is called {:?}; there are {}", table.family, known.join(", "))
    })
}

fn unlike_sides(reference: &ReferenceSection) -> Option<String> {
    let (from, to) = (ColumnsOf::parse(&reference.from)?, ColumnsOf::parse(&reference.to)?);
    (from.columns.len() != to.columns.len()).then(|| {
        format!("{} and {} name different numbers of columns", reference.from, reference.to)
    })
}
