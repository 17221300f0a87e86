//! Writes tables as SQL in Prisma's own words and order.
//!
//! Source: `flavour/postgres/renderer.rs` and the step order of `sql_migration.rs` of
//! prisma/prisma-engines: schemas, extensions, enums, tables, indexes, foreign keys.

use pgfleet_sql::{quote_ident_always as quoted, quote_literal_standard as literal};

use super::DEFAULT_SCHEMA;
use super::database::{
    Column, ColumnKind, Database, EnumType, Extension, ForeignKey, Index, ObjectName, Table,
};

/// What Prisma writes when there is nothing to do.
const EMPTY: &str = "-- This is an empty migration.";

/// Something that is created by one statement, and whether it is to be written.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// A schema, by name.
    Schema(&'a str),
    /// An extension.
    Extension(&'a Extension),
    /// An enum.
    Enum(&'a EnumType),
    /// A table with its primary key.
    Table(&'a Table),
    /// An index of a table.
    Index(&'a Table, &'a Index),
    /// A foreign key.
    ForeignKey(&'a ForeignKey),
}

/// Everything, for an empty database.
pub fn ddl(database: &Database) -> String {
    ddl_of(database, &|_| true)
}

/// The parts that are wanted, in Prisma's order.
pub fn ddl_of(database: &Database, wanted: &dyn Fn(Part<'_>) -> bool) -> String {
    let steps = parts(database).into_iter().filter(|part| wanted(*part)).map(step);
    let steps: Vec<_> = steps.collect();
    if steps.is_empty() { format!("{EMPTY}\n") } else { steps.join("\n") }
}

fn parts(database: &Database) -> Vec<Part<'_>> {
    let schemas = database.schemas.iter().map(|name| Part::Schema(name));
    let indexes = database
        .tables
        .iter()
        .flat_map(|table| table.indexes.iter().map(move |index| Part::Index(table, index)));
    schemas
        .chain(database.extensions.iter().map(Part::Extension))
        .chain(database.enums.iter().map(Part::Enum))
        .chain(database.tables.iter().map(Part::Table))
        .chain(indexes)
        .chain(database.foreign_keys.iter().map(Part::ForeignKey))
        .collect()
}

fn step(part: Part<'_>) -> String {
    let (title, sql) = match part {
        Part::Schema(name) => {
            ("CreateSchema", format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(name)))
        }
        Part::Extension(extension) => ("CreateExtension", create_extension(extension)),
        Part::Enum(enum_type) => ("CreateEnum", create_enum(enum_type)),
        Part::Table(table) => ("CreateTable", create_table(table)),
        Part::Index(table, index) => ("CreateIndex", create_index(table, index)),
        Part::ForeignKey(key) => ("AddForeignKey", add_foreign_key(key)),
    };
    format!("-- {title}\n{sql};\n")
}

fn create_extension(extension: &Extension) -> String {
    let mut sql = format!("CREATE EXTENSION IF NOT EXISTS {}", quoted(&extension.name));
    if extension.schema.is_some() || extension.version.is_some() {
        sql.push_str(" WITH");
    }
    if let Some(schema) = &extension.schema {
        sql.push_str(&format!(" SCHEMA {}", quoted(schema)));
    }
    if let Some(version) = &extension.version {
        sql.push_str(&format!(" VERSION {}", quoted(version)));
    }
    sql
}

fn create_enum(enum_type: &EnumType) -> String {
    let values: Vec<_> = enum_type.values.iter().map(|value| literal(value)).collect();
    format!("CREATE TYPE {} AS ENUM ({})", qualified(&enum_type.name), values.join(", "))
}

fn create_table(table: &Table) -> String {
    let columns: Vec<_> = table.columns.iter().map(column).collect();
    let key = table.primary_key.as_ref().map_or_else(String::new, |key| {
        let columns: Vec<_> = key.columns.iter().map(|name| quoted(name)).collect();
        format!(",\n\n    CONSTRAINT {} PRIMARY KEY ({})", quoted(&key.name), columns.join(","))
    });
    format!("CREATE TABLE {} (\n{}{key}\n)", qualified(&table.name), columns.join(",\n"))
}

fn column(column: &Column) -> String {
    let mut sql = format!("    {} {}", quoted(&column.name), column_type(column));
    if column.is_required {
        sql.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        sql.push_str(&format!(" DEFAULT {default}"));
    }
    sql
}

/// A column's type as SQL, the brackets of a list included.
pub(super) fn column_type(column: &Column) -> String {
    let base = match &column.kind {
        ColumnKind::Native(sql) if column.is_serial => serial(sql).to_owned(),
        ColumnKind::Native(sql) => sql.clone(),
        ColumnKind::Enum(name) => qualified(name),
    };
    if column.is_list { format!("{base}[]") } else { base }
}

fn serial(integer: &str) -> &str {
    match integer {
        "SMALLINT" => "SMALLSERIAL",
        "INTEGER" => "SERIAL",
        "BIGINT" => "BIGSERIAL",
        other => other,
    }
}

fn create_index(table: &Table, index: &Index) -> String {
    let columns: Vec<_> = index
        .columns
        .iter()
        .map(|column| {
            let class = column.operator_class.iter().map(|class| format!(" {class}"));
            let sort = column.sort.iter().map(|sort| format!(" {sort}"));
            std::iter::once(quoted(&column.name)).chain(class).chain(sort).collect::<String>()
        })
        .collect();
    format!(
        "CREATE {}INDEX {} ON {}{}({}){}",
        if index.is_unique { "UNIQUE " } else { "" },
        quoted(&index.name),
        qualified(&table.name),
        index.method.map_or_else(String::new, |method| format!(" USING {method} ")),
        columns.join(", "),
        index.condition.as_ref().map_or_else(String::new, |sql| format!(" WHERE ({sql})"))
    )
}

fn add_foreign_key(key: &ForeignKey) -> String {
    let list = |names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
        names.join(", ")
    };
    format!(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}({}) \
         ON DELETE {} ON UPDATE {}",
        qualified(&key.table),
        quoted(&key.name),
        list(&key.columns),
        qualified(&key.referenced_table),
        list(&key.referenced_columns),
        key.on_delete.sql(),
        key.on_update.sql()
    )
}

/// Prisma quotes every name; names of the default schema stand alone.
pub(super) fn qualified(name: &ObjectName) -> String {
    if name.schema == DEFAULT_SCHEMA {
        quoted(&name.name)
    } else {
        format!("{}.{}", quoted(&name.schema), quoted(&name.name))
    }
}
