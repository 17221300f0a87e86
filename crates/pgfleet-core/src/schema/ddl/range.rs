//! Range types, with what PostgreSQL makes with each: constructors, a multirange type, and constructors of
//! that. A range that gets another name leaves them theirs.

use pgfleet_sql::{parse_qualified, quote_ident};

use super::simple;
use crate::schema::{Object, RangeType};

pub(super) fn create(object: &Object, range: &RangeType) -> Vec<String> {
    let name = object.id.sql_name();
    vec![format!("CREATE TYPE {name} AS RANGE ({})", simple::clauses(&range.clauses))]
}

/// Gives way to a range that is made anew under the old name: what does not take the type itself would be
/// in the way of the new one's. What takes bounds is not, when their type was made anew before.
pub(super) fn step_aside(
    object: &Object,
    old: &RangeType,
    suffix: &str,
    other_bounds: bool,
) -> Vec<String> {
    let own = object.id.sql_name();
    let aside = |name: &str| {
        let bare = parse_qualified(name).map(|name| name.name).unwrap_or_default();
        quote_ident(&format!("{bare}{suffix}"))
    };
    let mut statements: Vec<_> = old
        .multirange()
        .map(|name| format!("ALTER TYPE {name} RENAME TO {}", aside(name)))
        .into_iter()
        .collect();
    let free = old.constructors(&own).into_iter().take(3);
    let free = free.filter(|(_, signature)| signature.is_empty() || !other_bounds);
    statements.extend(free.map(|(name, signature)| {
        format!("ALTER FUNCTION {name}({signature}) RENAME TO {}", aside(name))
    }));
    statements
}
