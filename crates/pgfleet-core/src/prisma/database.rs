//! The tables that a schema stands for.
//!
//! Invariant: everything is in the order in which Prisma writes it, and every name is the
//! database's, with `@map` and `@@map` applied.

use super::{DEFAULT_SCHEMA, constraint_name};

/// What a schema creates in an empty database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Database {
    /// Schemas that hold something, in order of their names.
    pub schemas: Vec<String>,
    /// Extensions of the data source.
    pub extensions: Vec<Extension>,
    /// Enums, those that no table uses too.
    pub enums: Vec<EnumType>,
    /// Tables of models, then those of implicit many-to-many relations.
    pub tables: Vec<Table>,
    /// Foreign keys of relations, then those of many-to-many tables.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A name with its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The schema; [`DEFAULT_SCHEMA`] where the schema says none.
    pub schema: String,
    /// The object's own name.
    pub name: String,
}

impl ObjectName {
    /// The name as a database has it where `schema` is what names without a schema mean: cut to
    /// the 63 bytes that PostgreSQL keeps.
    #[must_use]
    pub fn placed_in(&self, schema: &str) -> Self {
        let own = if self.schema == DEFAULT_SCHEMA { schema } else { self.schema.as_str() };
        Self { schema: own.to_owned(), name: constraint_name::kept_name(&self.name).to_owned() }
    }

    /// The name for people: with its schema where that is not the default one.
    pub fn shown(&self) -> String {
        if self.schema == DEFAULT_SCHEMA {
            self.name.clone()
        } else {
            format!("{}.{}", self.schema, self.name)
        }
    }
}

/// An extension of the data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its name in the database.
    pub name: String,
    /// The schema it is to be in.
    pub schema: Option<String>,
    /// The version it is to have.
    pub version: Option<String>,
}

/// An enum type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumType {
    /// Its name in the schema file.
    pub source: String,
    /// Its name in the database.
    pub name: ObjectName,
    /// Its values in the database, in order.
    pub values: Vec<String>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The model that it belongs to; the relation's name for a many-to-many table.
    pub model: String,
    /// True for the table of an implicit many-to-many relation.
    pub is_relation: bool,
    /// Its name in the database.
    pub name: ObjectName,
    /// In order.
    pub columns: Vec<Column>,
    /// Models with only unique keys have none.
    pub primary_key: Option<PrimaryKey>,
    /// Unique and other indexes, in Prisma's order.
    pub indexes: Vec<Index>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The field's name in the schema file.
    pub field: String,
    /// Its name in the database.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// An array of it.
    pub is_list: bool,
    /// `NOT NULL`; never for lists.
    pub is_required: bool,
    /// A sequence of its own fills it: the type is one of the serial ones.
    pub is_serial: bool,
    /// The default as SQL.
    pub default: Option<String>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnKind {
    /// A type of PostgreSQL, as SQL.
    Native(String),
    /// An enum, by its name in the database.
    Enum(ObjectName),
}

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryKey {
    /// The constraint's name.
    pub name: String,
    /// Columns by their names in the database.
    pub columns: Vec<String>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// No two rows may agree.
    pub is_unique: bool,
    /// The access method as SQL, when it is not a B-tree.
    pub method: Option<&'static str>,
    /// In order.
    pub columns: Vec<IndexColumn>,
    /// The condition of a partial index as SQL.
    pub condition: Option<String>,
}

/// A column of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexColumn {
    /// Its name in the database.
    pub name: String,
    /// The operator class as SQL.
    pub operator_class: Option<String>,
    /// `ASC` or `DESC`, when the schema says so.
    pub sort: Option<&'static str>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The table that has it.
    pub table: ObjectName,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table that is referred to.
    pub referenced_table: ObjectName,
    /// The columns that are referred to.
    pub referenced_columns: Vec<String>,
    /// What happens when the other row is deleted.
    pub on_delete: ReferentialAction,
    /// What happens when the other row's key changes.
    pub on_update: ReferentialAction,
}

/// What becomes of a row when the one that it refers to goes or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferentialAction {
    /// It follows.
    Cascade,
    /// It forbids that, at once.
    Restrict,
    /// It forbids that, at the end of the statement.
    NoAction,
    /// It forgets.
    SetNull,
    /// It takes its default.
    SetDefault,
}

impl ReferentialAction {
    /// As SQL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Cascade => "CASCADE",
            Self::Restrict => "RESTRICT",
            Self::NoAction => "NO ACTION",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }

    /// By the name that schema files use.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Cascade" => Self::Cascade,
            "Restrict" => Self::Restrict,
            "NoAction" => Self::NoAction,
            "SetNull" => Self::SetNull,
            "SetDefault" => Self::SetDefault,
            _ => return None,
        })
    }
}
