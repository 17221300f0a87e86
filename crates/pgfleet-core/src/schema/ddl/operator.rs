//! Operators, their classes and families, and casts.

use super::address;
use super::simple::clauses;
use crate::schema::{Cast, Object, Operator, OperatorClass, OperatorFamily, Properties};

pub(super) fn create(object: &Object, operator: &Operator) -> String {
    let properties = Properties { properties: operator.properties.clone() };
    format!("CREATE OPERATOR {} ({})", object.id.sql_name(), clauses(&properties))
}

pub(super) fn drop(object: &Object, _operator: &Operator) -> String {
    format!("DROP {}", address(object))
}

pub(super) fn create_family(object: &Object, family: &OperatorFamily) -> Vec<String> {
    let mut statements = vec![format!("CREATE {}", address(object))];
    statements.extend(add_members(object, &family.members));
    statements
}

fn add_members(object: &Object, members: &[String]) -> Option<String> {
    (!members.is_empty()).then(|| format!("ALTER {} ADD {}", address(object), members.join(", ")))
}

pub(super) fn alter_family(
    object: &Object,
    old: &OperatorFamily,
    new: &OperatorFamily,
) -> Vec<String> {
    let missing = |members: &[String], than: &[String]| -> Vec<String> {
        members.iter().filter(|member| !than.contains(member)).cloned().collect()
    };
    let gone = missing(&old.members, &new.members);
    let mut statements: Vec<_> = gone
        .iter()
        .filter_map(|member| drop_member(member))
        .map(|member| format!("ALTER {} DROP {member}", address(object)))
        .collect();
    statements.extend(add_members(object, &missing(&new.members, &old.members)));
    statements
}

/// `OPERATOR 1 app.<(a, b)` → `OPERATOR 1 (a, b)`; `FUNCTION 1 (a, b) f(a, b)` → `FUNCTION 1 (a, b)`.
fn drop_member(member: &str) -> Option<String> {
    let (kind, rest) = member.split_once(' ')?;
    let (number, rest) = rest.split_once(' ')?;
    let types = &rest[rest.find('(')?..];
    let types = &types[..=types.find(')')?];
    Some(format!("{kind} {number} {types}"))
}

pub(super) fn create_class(object: &Object, class: &OperatorClass) -> String {
    let default = if class.default { " DEFAULT" } else { "" };
    let mut members = class.members.clone();
    members.extend(class.storage.as_ref().map(|storage| format!("STORAGE {storage}")));
    if members.is_empty() {
        members.push(format!("STORAGE {}", class.type_name));
    }
    format!(
        "CREATE OPERATOR CLASS {}{default} FOR TYPE {} USING {} FAMILY {} AS {}",
        object.id.sql_name(),
        class.type_name,
        pgfleet_sql::quote_ident(&object.id.signature),
        class.family,
        members.join(", ")
    )
}

pub(super) fn create_cast(object: &Object, cast: &Cast) -> String {
    let context =
        if cast.context.is_empty() { String::new() } else { format!(" {}", cast.context) };
    format!("CREATE {} {}{context}", address(object), cast.method)
}
