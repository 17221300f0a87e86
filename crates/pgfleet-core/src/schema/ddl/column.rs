//! Columns of tables.

use pgfleet_sql::quote_ident;

use super::sequence;
use super::table::{changed_options, option_list};
use super::{conversion, foreign};
use crate::schema::{
    Column, ColumnDetails, Generated, Schema, Sequence, keeps_values, same_default,
};

/// A column as `CREATE TABLE` and `ADD COLUMN` have it.
pub(super) fn definition(column: &Column) -> String {
    let mut sql = format!("{} {}", quote_ident(&column.name), column.type_name);
    if !column.foreign_options.is_empty() {
        sql.push_str(&foreign::options(&column.foreign_options));
    }
    if let Some(collation) = &column.collation {
        sql.push_str(&format!(" COLLATE {collation}"));
    }
    sql.push_str(&value(column));
    if column.not_null {
        sql.push_str(" NOT NULL");
    }
    sql
}

fn value(column: &Column) -> String {
    if let Some(identity) = &column.identity {
        let when = if identity.always { "ALWAYS" } else { "BY DEFAULT" };
        let options = sequence::options(&identity.sequence);
        let name = &identity.sequence_name;
        return format!(" GENERATED {when} AS IDENTITY (SEQUENCE NAME {name} {options})");
    }
    let Some(default) = &column.default else { return String::new() };
    match column.generated {
        Some(Generated::Stored) => format!(" GENERATED ALWAYS AS ({default}) STORED"),
        Some(Generated::Virtual) => format!(" GENERATED ALWAYS AS ({default}) VIRTUAL"),
        None => format!(" DEFAULT {default}"),
    }
}

/// What a column has that its definition does not say; some of it may come from a parent table.
pub(super) fn details(
    table: &str,
    column: &Column,
    above: Option<&Column>,
    schema: &Schema,
) -> Vec<String> {
    let details = ColumnDetails {
        storage: above.and_then(|above| above.storage.clone()),
        compression: above.and_then(|above| above.compression.clone()),
        ..ColumnDetails::default()
    };
    let bare = Column { details: details.into(), ..Column::default() };
    storage_changes(&format!("ALTER TABLE ONLY {table}"), &bare, column, schema)
}

/// Storage, compression, statistics and options; `head` is `ALTER TABLE name`.
pub(super) fn storage_changes(
    head: &str,
    old: &Column,
    new: &Column,
    schema: &Schema,
) -> Vec<String> {
    let name = quote_ident(&new.name);
    let mut changes = Vec::new();
    if old.storage != new.storage {
        let own = own_storage(conversion::base(schema, &new.type_name));
        let storage = new.storage.as_deref().unwrap_or(own);
        changes.push(format!("SET STORAGE {storage}"));
    }
    if old.compression != new.compression {
        changes
            .push(format!("SET COMPRESSION {}", new.compression.as_deref().unwrap_or("DEFAULT")));
    }
    if old.statistics != new.statistics {
        changes.push(format!("SET STATISTICS {}", new.statistics.unwrap_or(-1)));
    }
    let column = format!("{head} ALTER COLUMN {name}");
    let mut statements: Vec<_> =
        changes.into_iter().map(|change| format!("{column} {change}")).collect();
    let options = changed_options("", &old.options, &new.options);
    statements
        .extend(options.into_iter().map(|sql| sql.replacen("ALTER  ", &format!("{column} "), 1)));
    statements
}

/// The storage that a type of varying length brings (`typstorage` in
/// src/include/catalog/pg_type.dat); `SET STORAGE DEFAULT` is there since PostgreSQL 16 only.
fn own_storage(type_name: &str) -> &'static str {
    let is = |prefix: &&str| type_name.starts_with(*prefix) && !type_name.ends_with("[]");
    match ["numeric", "inet", "cidr"].iter().any(is) {
        true => "MAIN",
        false => "EXTENDED",
    }
}

/// What was taken off a column before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detached {
    pub(super) default: bool,
    pub(super) identity: bool,
    /// Its type was made anew under it.
    pub(super) retyped: bool,
}

/// Where a column is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'s> {
    pub(super) schemas: [&'s Schema; 2],
    /// It is about to inherit from another table.
    pub(super) joins: bool,
    pub(super) foreign: bool,
    /// A parent that stays loses the expression of its column, and takes it from this one's.
    pub(super) above_too: bool,
    /// What the old or the new type is made of was made anew: only its texts are the same.
    pub(super) through_text: bool,
}

/// Turns a column into another of the same name.
pub(super) fn alter(
    table: &str,
    old: &Column,
    new: &Column,
    done: Detached,
    around: Around<'_>,
) -> Vec<String> {
    let name = quote_ident(&new.name);
    let column = format!("ALTER TABLE {table} ALTER COLUMN {name}");
    let only = format!("ALTER TABLE ONLY {table} ALTER COLUMN {name}");
    let mut statements = Vec::new();
    let changes = (&old.type_name, &old.collation) != (&new.type_name, &new.collation);
    let retyped = changes && (!new.inherited || around.joins);
    let computed = old.generated.is_some();
    let same = same_default(old.default.as_deref(), new.default.as_deref(), &new.type_name);
    let detached = done.default;
    // A default that counts as none (`NULL` of a domain) is in the way of a new type all the same.
    let has_any = old.default.is_some() || new.default.is_some();
    let redefault = !computed && (!same || (changes && has_any) || detached);
    if computed && new.generated.is_none() && !around.above_too {
        statements.push(format!("{column} DROP EXPRESSION"));
    }
    if old.identity.is_some() && new.identity.is_none() && !done.identity {
        statements.push(format!("{column} DROP IDENTITY"));
    }
    if redefault && old.default.is_some() && !detached && (retyped || new.default.is_none()) {
        // Those of inheriting tables are in the way of a new type too.
        let head = if retyped { &column } else { &only };
        statements.push(format!("{head} DROP DEFAULT"));
    }
    let identity = identity(&column, old, new);
    let narrows = retyped && narrows_identity(old, new);
    if narrows {
        statements.extend(identity.iter().cloned());
    }
    if retyped {
        statements.push(format!("{column} {}", set_type(old, new, around)));
    }
    if redefault || (computed && new.generated.is_none()) {
        statements
            .extend(new.default.as_ref().map(|default| format!("{only} SET DEFAULT {default}")));
    }
    let from_above = new.inherited && old.inherited && !around.joins;
    if old.not_null != new.not_null && !from_above {
        let verb = if new.not_null { "SET" } else { "DROP" };
        // An identity column is NOT NULL already.
        statements.push(format!("{column} {verb} NOT NULL"));
    }
    if !narrows {
        statements.extend(identity);
    }
    let mut had = old.clone();
    if changes || done.retyped {
        // A new type brings its own storage and compression.
        (had.storage, had.compression) = (None, None);
    }
    let head = format!("ALTER TABLE ONLY {table}");
    statements.extend(storage_changes(&head, &had, new, around.schemas[1]));
    if let Some(options) = foreign::changed_options(&old.foreign_options, &new.foreign_options) {
        statements.push(format!("{} {options}", column.replacen("TABLE", "FOREIGN TABLE", 1)));
    }
    statements
}

/// The type, with a conversion unless the new type holds all values of the old one. Between limits of one
/// type there is none either: written out, it would cut what is too long without a word.
fn set_type(old: &Column, new: &Column, around: Around<'_>) -> String {
    let collation = new.collation.as_ref().map(|c| format!(" COLLATE {c}")).unwrap_or_default();
    let (name, type_name) = (quote_ident(&new.name), &new.type_name);
    // Rows of a foreign table are elsewhere, and are not converted.
    let is_wider = keeps_values(&old.type_name, type_name) && !around.through_text;
    let needs_none = around.foreign || is_wider || family(&old.type_name) == family(type_name);
    let converted = match around.through_text {
        true => format!("{name}::text::{type_name}"),
        false => conversion::expression(around.schemas, &name, &old.type_name, type_name),
    };
    let using = if needs_none { String::new() } else { format!(" USING {converted}") };
    format!("TYPE {type_name}{collation}{using}")
}

/// The type without its limits; the types of texts are one.
fn family(type_name: &str) -> &str {
    match type_name.split('(').next().unwrap_or_default() {
        _ if type_name.ends_with("[]") => type_name,
        "character varying" | "character" | "text" => "text",
        name => name,
    }
}

/// Bounds that the old type holds and the new one does not are set before the type.
fn narrows_identity(old: &Column, new: &Column) -> bool {
    old.identity.as_ref().zip(new.identity.as_ref()).is_some_and(|(old, new)| {
        old.sequence.max > new.sequence.max || old.sequence.min < new.sequence.min
    })
}

fn identity(column: &str, old: &Column, new: &Column) -> Vec<String> {
    let when = |always| if always { "ALWAYS" } else { "BY DEFAULT" };
    match (&old.identity, &new.identity) {
        (None, Some(new)) => {
            let options = sequence::options(&new.sequence);
            let name = &new.sequence_name;
            let when = when(new.always);
            vec![format!(
                "{column} ADD GENERATED {when} AS IDENTITY (SEQUENCE NAME {name} {options})"
            )]
        }
        (Some(old), Some(new)) => {
            let (had, wanted) = (&old.sequence, &new.sequence);
            let mut clauses = match had.type_name == wanted.type_name {
                true => sequence::changed_options(had, wanted, "SET "),
                false => {
                    // A new type brings its own bounds where the old ones were the old type's.
                    let bounded = Sequence { min: wanted.min, max: wanted.max, ..had.clone() };
                    let bounds = [("MINVALUE", wanted.min), ("MAXVALUE", wanted.max)];
                    let bounds = bounds.map(|(word, value)| format!("SET {word} {value}"));
                    let rest = sequence::changed_options(&bounded, wanted, "SET ");
                    bounds.into_iter().chain(rest).collect()
                }
            };
            if old.always != new.always {
                clauses.push(format!("SET GENERATED {}", when(new.always)));
            }
            let mut statements = Vec::new();
            if old.sequence_name != new.sequence_name {
                statements.extend(rename_sequence(&old.sequence_name, &new.sequence_name));
            }
            statements.extend(sequence::fit(&new.sequence_name, had, wanted));
            if !clauses.is_empty() {
                statements.push(format!("{column} {}", clauses.join(" ")));
            }
            statements
        }
        _ => Vec::new(),
    }
}

/// A column, and then its identity.
pub(super) fn add_with_late_identity(table: &str, column: &Column) -> Vec<String> {
    let plain = Column { identity: None, ..column.clone() };
    let head = format!("ALTER TABLE {table}");
    let mut statements = vec![format!("{head} ADD COLUMN {}", definition(&plain))];
    let alter = format!("{head} ALTER COLUMN {}", quote_ident(&column.name));
    statements.extend(identity(&alter, &plain, column));
    statements
}

fn rename_sequence(old: &str, new: &str) -> Option<String> {
    let new = pgfleet_sql::parse_qualified(new)?;
    Some(format!("ALTER SEQUENCE {old} RENAME TO {}", quote_ident(&new.name)))
}

/// ` WITH (…)`, or nothing.
pub(super) fn with(options: &[String]) -> String {
    match options.is_empty() {
        true => String::new(),
        false => format!(" WITH ({})", option_list(options)),
    }
}
