//! Views and materialized views.

use pgfleet_sql::quote_ident;

use super::table::{changed_options, option_list};
use crate::schema::{Column, Object, Schema, View, canonical_view};

/// `CREATE OR REPLACE VIEW` keeps the columns that there are and adds others behind them
/// (`checkViewColumns` in src/backend/commands/view.c).
pub(super) fn can_replace(old: &View, new: &View) -> bool {
    let same = |(old, new): (&Column, &Column)| {
        (&old.name, &old.type_name, &old.collation) == (&new.name, &new.type_name, &new.collation)
    };
    old.columns.len() <= new.columns.len() && old.columns.iter().zip(&new.columns).all(same)
}

pub(super) fn same_query(old: &View, new: &View) -> bool {
    canonical_view(&old.definition) == canonical_view(&new.definition)
        && old.columns.iter().map(|c| &c.name).eq(new.columns.iter().map(|c| &c.name))
}

pub(super) fn create(object: &Object, view: &View, replace: bool) -> Vec<String> {
    let or_replace = if replace { "OR REPLACE " } else { "" };
    let mut statements = vec![format!(
        "CREATE {or_replace}VIEW {}{}{} AS\n{}",
        object.id.sql_name(),
        names(view),
        with(&view.options),
        view.definition
    )];
    if !replace {
        statements.extend(defaults(object, None, view));
    }
    statements
}

/// The names of the columns, which the query alone does not always give.
fn names(view: &View) -> String {
    let names: Vec<_> = view.columns.iter().map(|column| quote_ident(&column.name)).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

fn with(options: &[String]) -> String {
    if options.is_empty() { String::new() } else { format!(" WITH ({})", option_list(options)) }
}

pub(super) fn alter(object: &Object, old: &View, new: &View) -> Vec<String> {
    let mut statements = Vec::new();
    let name = object.id.sql_name();
    if canonical_view(&old.definition) != canonical_view(&new.definition)
        || old.columns.len() != new.columns.len()
    {
        statements.extend(create(object, new, true));
    } else {
        statements.extend(changed_options(&format!("VIEW {name}"), &old.options, &new.options));
    }
    statements.extend(defaults(object, Some(old), new));
    statements
}

fn defaults(object: &Object, old: Option<&View>, new: &View) -> Vec<String> {
    let name = object.id.sql_name();
    let had = |column: &Column| {
        let old = old?.columns.iter().find(|other| other.name == column.name)?;
        old.default.as_ref()
    };
    let change = |column: &Column| {
        if had(column) == column.default.as_ref() {
            return None;
        }
        let column_name = quote_ident(&column.name);
        let action = match &column.default {
            Some(default) => format!("SET DEFAULT {default}"),
            None => "DROP DEFAULT".to_owned(),
        };
        Some(format!("ALTER VIEW {name} ALTER COLUMN {column_name} {action}"))
    };
    new.columns.iter().filter_map(change).collect()
}

/// Always with data, as a view that was never filled cannot be read.
pub(super) fn create_materialized(schema: &Schema, object: &Object, view: &View) -> Vec<String> {
    let name = object.id.sql_name();
    let mut statements = vec![format!(
        "CREATE MATERIALIZED VIEW {name}{}{} AS\n{}",
        names(view),
        with(&view.options),
        view.definition
    )];
    let target = format!("ALTER MATERIALIZED VIEW {name}");
    for column in &view.columns {
        statements.extend(super::column::storage_changes(
            &target,
            &storage_default(column),
            column,
            schema,
        ));
    }
    statements
}

fn storage_default(column: &Column) -> Column {
    Column { name: column.name.clone(), type_name: column.type_name.clone(), ..Column::default() }
}

pub(super) fn alter_materialized(
    schema: &Schema,
    object: &Object,
    old: &View,
    new: &View,
) -> Vec<String> {
    let name = object.id.sql_name();
    let target = format!("MATERIALIZED VIEW {name}");
    let mut statements = changed_options(&target, &old.options, &new.options);
    for column in &new.columns {
        let had = old.columns.iter().find(|other| other.name == column.name);
        let had = had.cloned().unwrap_or_else(|| storage_default(column));
        let target = format!("ALTER {target}");
        statements.extend(super::column::storage_changes(&target, &had, column, schema));
    }
    statements
}
