//! Rows of the target that a new constraint does not allow.

use pgfleet_sql::quote_ident;
use pgfleet_sql::shape::{ConstraintShape, IndexShape};

use super::prelude::*;
use crate::lint::model::Table;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "rows that are there break a new rule",
    RuleLevel::Error,
    look,
)
.with_target();

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let not_null = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::SetNotNull(column) => {
            let (name, known, stored) = there(scene, table, std::slice::from_ref(column))?;
            let count = format!("SELECT count(*) FROM {name} WHERE {} IS NULL", stored.first()?);
            let what = format!("{{rows}} of {} have NULL in {column}", scene.model.shown(table));
            Some(asking(scene, known, &name, scene.finding(&action.range, what), count))
        }
        _ => None,
    });
    let constraints = scene
        .added_constraints()
        .filter(|added| added.column.is_none() && !added.constraint.not_valid && !added.constraint.not_enforced)
        .filter_map(|added| constraint(scene, added.table, added.constraint));
    let validated = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::Validate(name) => validated(scene, table, name, &action.range),
        _ => None,
    });
    let index = match scene.shape() {
        Shape::CreateIndex(index) if index.unique => unique_index(scene, index),
        _ => None,
    };
    not_null.chain(constraints).chain(validated).chain(index).collect()
}

/// The table and columns as the target calls them, quoted; none when any is new.
fn there<'a>(
    scene: &Scene<'a>,
    table: &QualifiedName,
    columns: &[String],
) -> Option<(QualifiedName, &'a Table, Vec<String>)> {
    let known = scene.table(table)?;
    let name = known.target_name.clone()?;
    let stored = |column: &String| {
        known.column(column)?.target_name.as_ref().map(|stored| quote_ident(stored))
    };
    let stored = columns.iter().map(stored).collect::<Option<Vec<_>>>()?;
    Some((name, known, stored))
}

fn asking(
    scene: &Scene<'_>,
    known: &Table,
    name: &QualifiedName,
    finding: Finding,
    count: String,
) -> Finding {
    let finding = finding
        .because("the statement fails when it comes to them, and the migration with it")
        .fix_with("See them, and change or delete them in a migration before this one:", count.clone());
    let finding = match known.written {
        true => finding
            .detail(format!("an earlier statement writes {}, which may change that", scene.model.shown(name)))
            .weighing(Severity::Warning),
        false => finding,
    };
    finding.asking(name.clone(), count)
}

fn constraint(scene: &Scene<'_>, table: &QualifiedName, shape: &ConstraintShape) -> Option<Finding> {
    let (name, known, stored) = there(scene, table, &shape.columns)?;
    let shown = scene.model.shown(table);
    let (what, count) = match shape.kind {
        ConstraintKind::Check => {
            // Names in the expression that changed since would not be found; then nothing is said.
            (format!("{{rows}} of {shown} break this CHECK"), check_count(&name, &shape.expression))
        }
        ConstraintKind::Unique | ConstraintKind::PrimaryKey if shape.using_index.is_none() => {
            (format!("{{rows}} of {shown} repeat the {} of another", quoted_list(&shape.columns)), repeated(&name, &stored, ""))
        }
        ConstraintKind::ForeignKey => {
            let to = shape.references.as_ref()?;
            let (other, count) = orphans(scene, &name, &stored, &to.table, &to.columns)?;
            (format!("{{rows}} of {shown} refer to no row of {other}"), count)
        }
        _ => return None,
    };
    Some(asking(scene, known, &name, scene.finding(&shape.range, what), count))
}

fn validated(
    scene: &Scene<'_>,
    table: &QualifiedName,
    constraint: &str,
    range: &std::ops::Range<usize>,
) -> Option<Finding> {
    let known = scene.table(table)?.constraint(constraint).filter(|known| !known.valid)?;
    let (name, target, stored) = there(scene, table, &known.columns)?;
    let shown = scene.model.shown(table);
    let (what, count) = match &known.references {
        Some(to) => {
            let (other, count) = orphans(scene, &name, &stored, &to.table, &to.columns)?;
            (format!("{{rows}} of {shown} refer to no row of {other}"), count)
        }
        None if known.kind == ConstraintKind::Check => {
            (format!("{{rows}} of {shown} break {constraint}"), check_count(&name, &known.expression))
        }
        None => return None,
    };
    Some(asking(scene, target, &name, scene.finding(range, what), count))
}

fn unique_index(scene: &Scene<'_>, index: &IndexShape) -> Option<Finding> {
    let columns: Vec<String> = index.columns()?.into_iter().map(str::to_owned).collect();
    let (name, known, stored) = there(scene, &index.table, &columns)?;
    let shown = scene.model.shown(&index.table);
    let what = format!("{{rows}} of {shown} repeat the {} of another", quoted_list(&columns));
    let count = repeated(&name, &stored, &index.condition);
    Some(asking(scene, known, &name, scene.finding(&index.head, what), count))
}

fn check_count(name: &QualifiedName, expression: &str) -> String {
    format!("SELECT count(*) FROM {name} WHERE NOT ({expression})")
}

/// NULLs differ from each other.
fn repeated(name: &QualifiedName, columns: &[String], condition: &str) -> String {
    let list = columns.join(", ");
    let mut conditions: Vec<_> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    if !condition.is_empty() {
        conditions.push(format!("({condition})"));
    }
    format!(
        "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {name} WHERE {} GROUP BY {list} HAVING count(*) > 1) AS d",
        conditions.join(" AND ")
    )
}

fn orphans(
    scene: &Scene<'_>,
    name: &QualifiedName,
    columns: &[String],
    other: &QualifiedName,
    other_columns: &[String],
) -> Option<(String, String)> {
    let key = scene.table(other)?.constraints.iter().find(|one| one.kind == ConstraintKind::PrimaryKey);
    let wanted = match other_columns.is_empty() {
        true => key?.columns.clone(),
        false => other_columns.to_vec(),
    };
    let (other_name, _, wanted) = there(scene, other, &wanted)?;
    let pairs: Vec<_> = columns.iter().zip(&wanted).map(|(own, to)| format!("o.{to} = r.{own}")).collect();
    let set: Vec<_> = columns.iter().map(|own| format!("r.{own} IS NOT NULL")).collect();
    let count = format!(
        "SELECT count(*) FROM {name} AS r WHERE {} AND NOT EXISTS (SELECT FROM {other_name} AS o WHERE {})",
        set.join(" AND "),
        pairs.join(" AND ")
    );
    Some((scene.model.shown(other), count))
}
