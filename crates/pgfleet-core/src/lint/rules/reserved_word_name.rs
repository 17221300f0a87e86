//! Names that must be quoted everywhere because they are keywords.

use pgfleet_sql::{ObjectKind, is_keyword, shape::name_range};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a name is a keyword and must be quoted everywhere",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let named = |kind: ObjectKind| {
        matches!(
            kind,
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Schema
                | ObjectKind::Function | ObjectKind::Type | ObjectKind::Domain
        )
    };
    let facts = scene.facts();
    let objects = facts.creates.iter().filter(|object| named(object.kind));
    let mut names: Vec<&str> = objects.map(|object| object.name.name.as_str()).collect();
    names.extend(scene.declared_columns().map(|(_, column)| column.name.as_str()));
    names.extend(facts.rename.iter().map(|rename| rename.to.name.as_str()));
    let keywords = names.into_iter().filter(|name| is_keyword(name) && is_awkward(name));
    keywords
        .map(|name| {
            let range = name_range(scene.sql(), name).unwrap_or(0..1);
            scene
                .finding(&range, format!("{name} is a keyword"))
                .because("without quotes it is a syntax error, or means something else, like user")
                .fix("Choose another name.")
        })
        .collect()
}

/// Some keywords may stand as column names without quotes, and many columns are called so.
fn is_awkward(name: &str) -> bool {
    !matches!(
        name,
        "name" | "position" | "time" | "timestamp" | "values" | "row" | "none" | "precision" | "bit"
            | "char" | "character" | "int" | "integer" | "real" | "text" | "interval" | "numeric"
            | "decimal" | "boolean" | "bigint" | "smallint" | "varchar" | "float" | "exists" | "extract"
            | "between" | "coalesce" | "greatest" | "least" | "grouping" | "inout" | "out" | "overlay"
            | "substring" | "treat" | "trim" | "setof" | "normalize" | "national" | "nchar" | "nullif"
            | "dec" | "merge_action" | "json" | "json_value" | "json_query" | "json_exists"
    )
}
