//! Indexes that another one makes needless.

use super::prelude::*;
use crate::lint::model::Index;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "an index repeats another one",
    RuleLevel::Warning,
    look,
)
.with_target();

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let Shape::CreateIndex(shape) = scene.shape() else { return Vec::new() };
    let Some(table) = scene.table(&shape.table) else { return Vec::new() };
    let index = Index::of(shape);
    let others = table.indexes.iter().filter(|other| other.name.is_empty() || other.name != index.name);
    let Some((other, same)) = others.into_iter().find_map(|other| Some((other, repeats(&index, other)?))) else {
        return Vec::new();
    };
    let name = if other.name.is_empty() { "an index without a name" } else { &other.name };
    let what = match same {
        true => format!("{name} is on the same columns"),
        false => format!("{name} begins with the same columns and serves the same queries"),
    };
    let finding = scene
        .finding(&shape.head, what)
        .because("every index costs at each write, and both take room in memory")
        .fix("Leave one of them out.");
    vec![if same { finding } else { finding.weighing(Severity::Note) }]
}

/// Whether `other` does all that `index` would: true when it is the same, false when it is longer.
fn repeats(index: &Index, other: &Index) -> Option<bool> {
    let alike = index.method == other.method
        && without_parentheses(&index.condition) == without_parentheses(&other.condition)
        && index.include.iter().all(|column| other.include.contains(column));
    let begins = !index.keys.is_empty() && other.keys.starts_with(&index.keys);
    let same = other.keys.len() == index.keys.len();
    // A unique index is needed unless the other one is unique on the same columns.
    let replaces = !index.unique || (other.unique && same);
    let ordered = index.method == "btree" || same;
    (alike && begins && replaces && ordered).then_some(same)
}

fn without_parentheses(condition: &str) -> String {
    condition.replace(['(', ')', '"'], "").to_ascii_lowercase()
}
