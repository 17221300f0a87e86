//! Holds declarations against the source and the databases to fill: which expression gives each
//! column, and what is mapped nowhere.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::{QualifiedName, parse_qualified, quote_ident};

use super::declaration::{SoftDeleted, SplitFile, TableSection};
use super::finding::{Declare, Finding};
use super::moves::{Column, Move, Rows};
use super::place_name::FamilyTable;
use super::shape::{ColumnShape, Shape, TableShape};
use crate::filled::substitute;

/// What declarations mean for these databases.
#[derive(Debug, Default)]
pub struct Mapped {
    /// What fills what, in the declarations' order.
    pub moves: Vec<Move>,
    /// What is wrong, or mapped nowhere.
    pub findings: Vec<Finding>,
    /// The source's table behind each move that has one.
    pub sources: BTreeMap<FamilyTable, QualifiedName>,
}

/// Maps all declared tables. `queries` holds the columns that each declared query gives, by the
/// text of [`TableSection::into`].
pub fn map_tables(
    file: &SplitFile,
    source: &Shape,
    families: &BTreeMap<String, Shape>,
    queries: &BTreeMap<String, Vec<String>>,
) -> Mapped {
    let mut mapped = Mapped::default();
    for section in &file.tables {
        let Some(into) = FamilyTable::parse(&section.into) else { continue };
        let shape = families.get(&into.family).and_then(|shape| shape.tables.get(&into.name()));
        let Some(shape) = shape else {
            mapped.findings.push(no_such_table(&into, families.get(&into.family)));
            continue;
        };
        let mapping = Mapping { file, section, source, into: &into, shape };
        mapping.map(queries.get(&section.into), &mut mapped);
    }
    mapped.findings.extend(unmapped_tables(file, source, &mapped));
    mapped.findings.extend(unfilled_tables(families, &mapped));
    mapped
}

struct Mapping<'a> {
    file: &'a SplitFile,
    section: &'a TableSection,
    source: &'a Shape,
    into: &'a FamilyTable,
    shape: &'a TableShape,
}

/// What `s` is.
struct Origin<'a> {
    rows: Rows,
    columns: Vec<String>,
    table: Option<(QualifiedName, &'a TableShape)>,
}

impl Mapping<'_> {
    fn map(&self, query: Option<&Vec<String>>, mapped: &mut Mapped) {
        let origin = match self.origin(query) {
            Ok(origin) => origin,
            Err(finding) => return mapped.findings.push(finding),
        };
        let (columns, findings) = self.columns(&origin);
        mapped.findings.extend(findings);
        mapped.findings.extend(self.unmapped_columns(&origin));
        let key = match &origin.table {
            Some((_, table)) => table.key().to_vec(),
            None => {
                self.shape.key().iter().filter(|c| origin.columns.contains(c)).cloned().collect()
            }
        };
        if let Some((name, _)) = origin.table {
            mapped.sources.insert(self.into.clone(), name);
        }
        let is_binary = columns.iter().all(|column| self.travels_binary(column));
        let into = self.into.clone();
        mapped.moves.push(Move { into, rows: origin.rows, columns, is_binary, key });
    }

    fn origin(&self, query: Option<&Vec<String>>) -> Result<Origin<'_>, Finding> {
        if let Some(sql) = &self.section.query {
            let query_text = self.sql(sql)?;
            let columns = query.cloned().unwrap_or_default();
            return Ok(Origin { rows: Rows::Query { query: query_text }, columns, table: None });
        }
        let name = self.source_name()?;
        let Some(table) = self.source.tables.get(&name) else {
            let finding =
                Finding::error(self.into.to_string(), format!("the source has no table {name}"));
            return Err(match in_other_case(self.source, &name) {
                Some(there) => {
                    finding.fix(format!("Write it as SQL does: from = '{}'.", short(there)))
                }
                None => finding.fix("Name it: from = \"…\", or query = \"…\"."),
            });
        };
        let rows = Rows::Table { table: name.to_string(), condition: self.condition(table)? };
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        Ok(Origin { rows, columns, table: Some((name, table)) })
    }

    fn source_name(&self) -> Result<QualifiedName, Finding> {
        let Some(from) = &self.section.from else {
            return Ok(QualifiedName::new("public", &self.into.table));
        };
        let name = parse_qualified(from).ok_or_else(|| {
            Finding::error(self.into.to_string(), format!("{from:?} is not the name of a table"))
        })?;
        let schema = name.schema.unwrap_or_else(|| "public".to_owned());
        Ok(QualifiedName::new(schema, name.name))
    }

    fn condition(&self, table: &TableShape) -> Result<Option<String>, Finding> {
        let mut conditions = Vec::new();
        if let Some(condition) = &self.section.condition {
            conditions.push(self.sql(condition)?);
        }
        let marker = &self.section.soft_delete_column;
        if self.section.soft_deleted == SoftDeleted::Skip {
            if table.column(marker).is_none() {
                let what =
                    format!("soft_deleted = \"skip\", but the source has no column {marker}");
                return Err(Finding::error(self.into.to_string(), what));
            }
            conditions.push(format!("s.{} IS NULL", quote_ident(marker)));
        }
        Ok((!conditions.is_empty()).then(|| conditions.join("\n) AND (")))
    }

    fn columns(&self, origin: &Origin<'_>) -> (Vec<Column>, Vec<Finding>) {
        let (mut columns, mut findings) = (Vec::new(), Vec::new());
        for column in &self.shape.columns {
            match self.column(column, origin) {
                Ok(column) => columns.extend(column),
                Err(finding) => findings.push(finding),
            }
        }
        let unknown = self.section.columns.keys().filter(|name| self.shape.column(name).is_none());
        findings.extend(unknown.map(|name| {
            Finding::error(format!("{}.{name}", self.into), "the table has no such column")
        }));
        if columns.is_empty() && findings.is_empty() {
            findings.push(Finding::error(self.into.to_string(), "no column is filled"));
        }
        (columns, findings)
    }

    /// None where a default or a NULL fills it.
    fn column(&self, column: &ColumnShape, origin: &Origin<'_>) -> Result<Option<Column>, Finding> {
        let subject = || format!("{}.{}", self.into, column.name);
        let declared = self.section.columns.get(&column.name);
        let expression = match declared {
            Some(_) if column.is_generated => {
                return Err(Finding::error(subject(), "it is generated and cannot be filled"));
            }
            Some(declared) => self.sql(declared)?,
            None if column.is_generated => return Ok(None),
            None if origin.columns.contains(&column.name) => {
                format!("s.{}", quote_ident(&column.name))
            }
            None if column.is_not_null && !column.has_default => {
                let what = "nothing fills it, it has no default, and it allows no NULL";
                return Err(Finding::error(subject(), what)
                    .fix(format!("columns.{} = \"an SQL expression over s\"", column.name)));
            }
            None => return Ok(None),
        };
        let cast = cast_of(column);
        let full_type = column.full_type.clone();
        Ok(Some(Column { name: column.name.clone(), expression, cast, full_type }))
    }

    fn sql(&self, sql: &str) -> Result<String, Finding> {
        let mut variables = self.file.variables.clone();
        let family = self.file.families.get(&self.into.family);
        variables.extend(family.map(|family| family.variables.clone()).unwrap_or_default());
        substitute(sql, &variables)
            .map_err(|wrong| Finding::error(self.into.to_string(), format!("{sql:?}: {wrong}")))
    }

    fn travels_binary(&self, column: &Column) -> bool {
        self.shape.column(&column.name).is_some_and(|c| c.is_builtin || c.labels.is_some())
    }

    fn unmapped_columns(&self, origin: &Origin<'_>) -> Vec<Finding> {
        let Some((name, table)) = &origin.table else { return Vec::new() };
        let said: Vec<&String> = self.section.columns.values().collect();
        let is_mapped = |column: &&ColumnShape| {
            self.shape.column(&column.name).is_some_and(|target| !target.is_generated)
                || self.section.leave.contains(&column.name)
                || said.iter().any(|expression| mentions(expression, &column.name))
                || (self.section.soft_deleted == SoftDeleted::Skip
                    && self.section.soft_delete_column == column.name)
        };
        let unmapped = table.columns.iter().filter(|column| !is_mapped(column));
        let finding = |column: &ColumnShape| {
            let what = format!("its values are moved nowhere when {} is filled", self.into);
            Finding::warning(format!("source {name}.{}", column.name), what)
                .fix(format!("Map it, or say so: leave = [\"{}\"].", column.name))
        };
        unmapped.map(finding).collect()
    }
}

fn no_such_table(into: &FamilyTable, shape: Option<&Shape>) -> Finding {
    let finding = Finding::error(into.to_string(), "its migrations create no such table");
    match shape.and_then(|shape| in_other_case(shape, &into.name())) {
        Some(there) => {
            finding.fix(format!("Write it as SQL does: into = '{}.{}'.", into.family, short(there)))
        }
        None => finding,
    }
}

/// The table that a name meant, had its capitals been in double quotes.
fn in_other_case<'a>(shape: &'a Shape, name: &QualifiedName) -> Option<&'a QualifiedName> {
    let meant = |there: &&QualifiedName| {
        there.schema == name.schema && there.name.to_lowercase() == name.name.to_lowercase()
    };
    shape.tables.keys().find(meant)
}

/// An enum's labels travel as text, which the other server's enum reads.
fn cast_of(column: &ColumnShape) -> String {
    match (&column.labels, column.is_builtin) {
        (Some(_), _) | (None, false) => "pg_catalog.text".to_owned(),
        (None, true) => column.base_type.clone(),
    }
}

fn mentions(expression: &str, column: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    expression.split(|c: char| !is_part(c)).any(|word| word == column)
        || expression.contains(&quote_ident(column))
}

fn unmapped_tables(file: &SplitFile, source: &Shape, mapped: &Mapped) -> Vec<Finding> {
    let behind = file.left_behind.iter().flat_map(|section| &section.tables);
    let left: BTreeSet<_> = behind.map(|name| source_table(name)).collect();
    let used: BTreeSet<_> = mapped.sources.values().cloned().collect();
    let queried = |name: &QualifiedName| {
        file.tables.iter().filter_map(|t| t.query.as_ref()).any(|q| mentions(q, &name.name))
    };
    let is_mapped =
        |name: &&QualifiedName| used.contains(name) || left.contains(name) || queried(name);
    let unmapped = source.tables.keys().filter(|name| !is_mapped(name));
    let finding = |name: &QualifiedName| {
        Finding::warning(format!("source {name}"), "no database gets its rows")
            .fix("Map it, or say that it stays behind.")
            .declare(Declare::LeftBehind(short(name)))
    };
    let mut findings: Vec<_> = unmapped.map(finding).collect();
    let absent = left.iter().filter(|name| !source.tables.contains_key(name));
    findings.extend(absent.map(|name| {
        Finding::warning(format!("source {name}"), "is left behind, and is not there")
    }));
    findings
}

fn unfilled_tables(families: &BTreeMap<String, Shape>, mapped: &Mapped) -> Vec<Finding> {
    let filled: BTreeSet<_> = mapped.moves.iter().map(|step| step.into.clone()).collect();
    let mut findings = Vec::new();
    for (family, shape) in families {
        for name in shape.tables.keys() {
            let schema = name.schema.clone().unwrap_or_default();
            let table = FamilyTable { family: family.clone(), schema, table: name.name.clone() };
            if !filled.contains(&table) {
                let what = "nothing fills it; it holds what migrations and seeds put there";
                findings.push(Finding::success(table.to_string(), what));
            }
        }
    }
    findings
}

fn source_table(name: &str) -> QualifiedName {
    let name = parse_qualified(name).unwrap_or_else(|| QualifiedName::bare(name));
    QualifiedName::new(name.schema.unwrap_or_else(|| "public".to_owned()), name.name)
}

fn short(name: &QualifiedName) -> String {
    match name.schema.as_deref() {
        Some("public") => quote_ident(&name.name),
        _ => name.to_string(),
    }
}
