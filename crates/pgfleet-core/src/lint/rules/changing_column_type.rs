//! A column whose type is changed, unless the change needs no rewrite.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "changing a column's type rewrites the table",
    RuleLevel::Warning,
    look,
)
.with_target();

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let changed = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::SetType { column, type_text, using, .. } => {
            Some((table, action, column, type_text, *using))
        }
        _ => None,
    });
    let found = changed.filter_map(|(table, action, column, type_text, using)| {
        let busy = scene.busy(table)?;
        let known = scene.table(table).and_then(|table| table.column(column));
        let old = known.map(|column| column.data_type.as_str()).filter(|old| !old.is_empty());
        let new = crate::preflight::spelled(type_text);
        let shown = scene.model.shown(table);
        if old.is_some_and(|old| !using && keeps_rows(old, &new)) {
            return None;
        }
        let from = old.map(|old| format!(" from {old}")).unwrap_or_default();
        let what = format!("changing {column}{from} to {type_text} rewrites {shown} and its indexes with reads and writes blocked");
        Some(
            scene
                .finding(&action.range, what)
                .because(match old {
                    Some(_) => "the two types are not stored alike, so every row is converted under ACCESS EXCLUSIVE",
                    None => "only widening varchar or numeric, or varchar to text, keeps the rows; the present type is not known here",
                })
                .fix("Add a column of the new type, keep both in step with a trigger, fill it in batches, and switch over.")
                .on(&busy),
        )
    });
    found.collect()
}

/// Changes that PostgreSQL makes in the catalog alone ("ALTER TABLE", Notes, in its documentation;
/// the length coercions' support functions in src/backend/utils/adt/varchar.c, numeric.c, varbit.c,
/// timestamp.c).
fn keeps_rows(old: &str, new: &str) -> bool {
    if old == new {
        return true;
    }
    let ((old_base, old_args), (new_base, new_args)) = (parts(old), parts(new));
    match (old_base, new_base) {
        ("varchar" | "text", "text") => true,
        ("varchar" | "text", "varchar") => {
            new_args.is_empty() || old_base == "varchar" && not_narrower(&old_args, &new_args)
        }
        ("varbit", "varbit") => new_args.is_empty() || not_narrower(&old_args, &new_args),
        ("numeric", "numeric") => new_args.is_empty() || wider_numeric(&old_args, &new_args),
        ("timestamp", "timestamp") | ("timestamptz", "timestamptz") | ("time", "time")
        | ("timetz", "timetz") => new_args.is_empty() || not_narrower(&old_args, &new_args),
        ("cidr", "inet") => true,
        _ => false,
    }
}

fn parts(spelled: &str) -> (&str, Vec<u32>) {
    let (base, rest) = spelled.split_at(spelled.find('(').unwrap_or(spelled.len()));
    let numbers = rest.trim_matches(['(', ')']).split(',');
    (base, numbers.filter_map(|number| number.trim().parse().ok()).collect())
}

fn not_narrower(old: &[u32], new: &[u32]) -> bool {
    old.first().zip(new.first()).is_some_and(|(old, new)| new >= old)
}

/// The scale must stay: another one changes the stored digits.
fn wider_numeric(old: &[u32], new: &[u32]) -> bool {
    let scale = |args: &[u32]| args.get(1).copied().unwrap_or(0);
    not_narrower(old, new) && scale(old) == scale(new)
}

#[cfg(test)]
mod tests {
    use super::keeps_rows;

    #[test]
    fn only_changes_in_the_catalog_keep_the_rows() {
        for (old, new, kept) in [
            ("varchar(10)", "varchar(20)", true),
            ("varchar(20)", "varchar(10)", false),
            ("varchar(20)", "text", true),
            ("text", "varchar", true),
            ("text", "varchar(9)", false),
            ("numeric(8,2)", "numeric(10,2)", true),
            ("numeric(8,2)", "numeric(10,3)", false),
            ("numeric(8,2)", "numeric", true),
            ("int4", "int8", false),
            ("timestamp(3)", "timestamp", true),
            ("timestamp", "timestamptz", false),
            ("char(2)", "text", false),
        ] {
            assert_eq!(keeps_rows(old, new), kept, "{old} to {new}");
        }
    }
}
