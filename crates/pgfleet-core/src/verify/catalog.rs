//! The catalog facts that checks are judged by: the queries, and their rows as data.
//!
//! One batch of at most nine statements answers every check of a target, whatever their number.
//! Every row begins with the name of its aspect, so that the rows of a batch need no other order.
//! Lists travel as JSON. The columns used exist in PostgreSQL 13 to 18.

use std::collections::BTreeSet;

use pgfleet_sql::{QuoteError, quote_literal};

use super::Check;

/// One row of a text-format answer.
pub type TextRow = Vec<Option<String>>;

/// A part of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // named like the fields of `Catalog`
pub enum Aspect {
    Tables,
    Columns,
    Indexes,
    Triggers,
    Policies,
    ForeignKeys,
    Functions,
    Extensions,
    Enums,
}

/// Which parts of the catalog to read, of which schemas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The parts.
    pub aspects: BTreeSet<Aspect>,
    /// The schemas' names.
    pub schemas: BTreeSet<String>,
    /// Every schema of the database's own, whatever `schemas` says.
    pub everywhere: bool,
}

/// What the catalog says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Base and partitioned tables.
    pub tables: Vec<TableFact>,
    /// Columns of tables and views, in their tables' order.
    pub columns: Vec<ColumnFact>,
    /// Indexes, those of keys included.
    pub indexes: Vec<IndexFact>,
    /// Triggers that people made.
    pub triggers: Vec<TriggerFact>,
    /// Policies, as (schema, table, policy).
    pub policies: Vec<[String; 3]>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKeyFact>,
    /// Functions and procedures, as (schema, name); overloads once each.
    pub functions: Vec<[String; 2]>,
    /// Installed extensions.
    pub extensions: Vec<String>,
    /// Enum types.
    pub enums: Vec<EnumFact>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct TableFact {
    pub schema: String,
    pub name: String,
    /// Row-level security is on.
    pub row_security: bool,
    /// It holds for the owner too.
    pub row_security_forced: bool,
    /// Size of its main file.
    pub bytes: u64,
    /// Rows, where they were counted.
    pub rows: Option<u64>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ColumnFact {
    pub schema: String,
    pub table: String,
    pub name: String,
    /// As `format_type` writes it.
    pub type_name: String,
    pub not_null: bool,
}

/// An index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct IndexFact {
    pub schema: String,
    pub table: String,
    pub name: String,
    /// False for what an interrupted CREATE INDEX CONCURRENTLY leaves.
    pub valid: bool,
}

/// A trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct TriggerFact {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub enabled: bool,
}

/// A foreign key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ForeignKeyFact {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub columns: Vec<String>,
    pub parent_schema: String,
    pub parent: String,
    pub parent_columns: Vec<String>,
    /// False after NOT VALID, until it is validated.
    pub validated: bool,
}

/// An enum type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct EnumFact {
    pub schema: String,
    pub name: String,
    pub values: Vec<String>,
}

impl Scope {
    /// What these checks need to be read.
    pub fn of(checks: &[Check]) -> Self {
        let mut scope = Self::default();
        for check in checks {
            scope.aspects.extend(check.aspects());
            scope.schemas.extend(check.schemas().into_iter().map(str::to_owned));
        }
        scope
    }

    /// Everything in these schemas; with none, in all but the server's, pgfleet's and those of
    /// extensions.
    pub fn whole(schemas: &[String]) -> Self {
        Self {
            aspects: STATEMENTS.iter().map(|(aspect, _)| *aspect).collect(),
            schemas: schemas.iter().cloned().collect(),
            everywhere: schemas.is_empty(),
        }
    }
}

/// The statements, ended by semicolons, that read what `checks` need; `None` when no check needs
/// the catalog.
///
/// # Errors
/// When a schema's name holds a NUL, which no name in a database does.
pub fn catalog_sql(checks: &[Check]) -> Result<Option<String>, QuoteError> {
    let scope = Scope::of(checks);
    if scope.aspects.is_empty() { Ok(None) } else { facts_sql(&scope).map(Some) }
}

/// The statements, ended by semicolons, that read a scope.
///
/// # Errors
/// When a schema's name holds a NUL.
pub fn facts_sql(scope: &Scope) -> Result<String, QuoteError> {
    let names: Vec<String> =
        scope.schemas.iter().map(|schema| quote_literal(schema)).collect::<Result<_, _>>()?;
    let names = match (scope.everywhere, names.is_empty()) {
        (true, _) => include_str!("catalog/own_schemas.sql").trim().to_owned(),
        (false, true) => "NULL".to_owned(),
        (false, false) => names.join(", "),
    };
    let wanted = STATEMENTS.iter().filter(|(aspect, _)| scope.aspects.contains(aspect));
    Ok(wanted.map(|(_, sql)| format!("{};\n", sql.trim().replace("$schemas", &names))).collect())
}

/// The statements that count the rows of the tables no larger than `max_bytes`; each gives one
/// row, `(position in catalog.tables, count)`.
pub fn row_counts_sql(catalog: &Catalog, max_bytes: u64) -> String {
    let small = catalog.tables.iter().enumerate().filter(|(_, table)| table.bytes <= max_bytes);
    let count = |(position, table): (usize, &TableFact)| {
        let name = pgfleet_sql::QualifiedName::new(&table.schema, &table.name);
        format!("SELECT {position}, count(*) FROM {name};\n")
    };
    small.map(count).collect()
}

/// Reads the rows of [`facts_sql`]'s batch. Rows of an unknown shape are left out.
pub fn read_catalog(rows: &[TextRow]) -> Catalog {
    let mut catalog = Catalog::default();
    for row in rows {
        let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or("")).collect();
        catalog.take(&cells);
    }
    catalog
}

impl Catalog {
    fn take(&mut self, cells: &[&str]) -> Option<()> {
        let (aspect, rest) = cells.split_first()?;
        let text = |position: usize| rest.get(position).map_or(String::new(), |s| (*s).to_owned());
        let flag = |position: usize| rest.get(position) == Some(&"t");
        let list = |position: usize| -> Vec<String> {
            rest.get(position).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
        };
        let (schema, second) = (text(0), text(1));
        match *aspect {
            "table" => self.tables.push(TableFact {
                schema,
                name: second,
                row_security: flag(2),
                row_security_forced: flag(3),
                bytes: text(4).parse().unwrap_or_default(),
                rows: None,
            }),
            "column" => self.columns.push(ColumnFact {
                schema,
                table: second,
                name: text(2),
                type_name: text(3),
                not_null: flag(4),
            }),
            "index" => self.indexes.push(IndexFact {
                schema,
                table: second,
                name: text(2),
                valid: flag(3),
            }),
            "trigger" => self.triggers.push(TriggerFact {
                schema,
                table: second,
                name: text(2),
                enabled: flag(3),
            }),
            "policy" => self.policies.push([schema, second, text(2)]),
            "foreign key" => self.foreign_keys.push(ForeignKeyFact {
                schema,
                table: second,
                name: text(2),
                columns: list(3),
                parent_schema: text(4),
                parent: text(5),
                parent_columns: list(6),
                validated: flag(7),
            }),
            "function" => self.functions.push([schema, second]),
            "extension" => self.extensions.push(schema),
            "enum" => self.enums.push(EnumFact { schema, name: second, values: list(2) }),
            _ => return None,
        }
        Some(())
    }
}

const STATEMENTS: &[(Aspect, &str)] = &[
    (Aspect::Tables, include_str!("catalog/tables.sql")),
    (Aspect::Columns, include_str!("catalog/columns.sql")),
    (Aspect::Indexes, include_str!("catalog/indexes.sql")),
    (Aspect::Triggers, include_str!("catalog/triggers.sql")),
    (Aspect::Policies, include_str!("catalog/policies.sql")),
    (Aspect::ForeignKeys, include_str!("catalog/foreign_keys.sql")),
    (Aspect::Functions, include_str!("catalog/functions.sql")),
    (Aspect::Extensions, include_str!("catalog/extensions.sql")),
    (Aspect::Enums, include_str!("catalog/enums.sql")),
];
