//! Foreign keys between columns of different types.

use super::prelude::*;
use crate::lint::model::Table;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a foreign key's column has another type than the one it refers to",
    RuleLevel::Warning,
    look,
)
.with_target();

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let created = match scene.shape() {
        Shape::CreateTable(table) => {
            let own = table.constraints.iter();
            let inline = table.columns.iter().flat_map(|column| &column.constraints);
            own.chain(inline).map(|constraint| (&table.name, constraint)).collect()
        }
        _ => scene.added_constraints().map(|added| (added.table, added.constraint)).collect::<Vec<_>>(),
    };
    let found = created.into_iter().filter_map(|(table, constraint)| {
        let to = constraint.references.as_ref()?;
        let other = scene.table(&to.table)?;
        let columns = if to.columns.is_empty() { primary_key(other)? } else { to.columns.clone() };
        let pairs = constraint.columns.iter().zip(&columns);
        let (own, own_type, theirs, their_type) = pairs
            .filter_map(|(own, theirs)| {
                let own_type = own_type(scene, table, own)?;
                let their_type = other.column(theirs)?.data_type.clone();
                Some((own, own_type, theirs, their_type))
            })
            .find(|(_, own, _, theirs)| {
                !own.is_empty() && !theirs.is_empty() && base(own) != base(theirs)
            })?;
        let shown = scene.model.shown(&to.table);
        Some(
            scene
                .finding(&constraint.range, format!("{own} is {own_type} and {theirs} of {shown} is {their_type}"))
                .because("where the types can be compared each check converts values, and values of the wider type do not fit; where not, the statement fails")
                .fix(format!("Give {own} the type {their_type}.")),
        )
    });
    found.collect()
}

fn base(spelled: &str) -> &str {
    let base = spelled.split('(').next().unwrap_or_default();
    // Strings of any length are compared alike.
    if base == "varchar" { "text" } else { base }
}

fn primary_key(table: &Table) -> Option<Vec<String>> {
    let key = table.constraints.iter().find(|one| one.kind == ConstraintKind::PrimaryKey)?;
    Some(key.columns.clone())
}

/// Of a column that the statement declares, or that is there.
fn own_type(scene: &Scene<'_>, table: &QualifiedName, column: &str) -> Option<String> {
    let declared = scene.declared_columns().find(|(_, shape)| shape.name == column);
    let declared = declared.map(|(_, shape)| crate::preflight::spelled(&shape.type_text));
    declared.or_else(|| Some(scene.table(table)?.column(column)?.data_type.clone()))
}
