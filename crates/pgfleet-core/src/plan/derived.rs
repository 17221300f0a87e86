//! A way back that nobody wrote: the difference between the schemas after and before a migration,
//! as a body that is planned like any other.

use crate::folder::SqlBody;
use crate::place::Place;
use crate::schema::Schema;
use crate::schema::diff::{Statement, Unit, compare, units};
use crate::schema::rename::RenameStep;

/// Names are qualified, and bodies may name what comes later.
const SETTINGS: &str = "SET LOCAL check_function_bodies = off;\nSET LOCAL search_path = '';\n";

/// What takes a migration back: the renames that take back its own, and what is left from the schema
/// after them to the one that it found.
pub fn derive_way_back(
    renames: &[RenameStep],
    after: &Schema,
    before: &Schema,
    migration: &str,
) -> SqlBody {
    let mut statements: Vec<_> = renames.iter().map(RenameStep::statement).collect();
    statements.extend(compare(after, before).statements());
    SqlBody::verbatim(text(&statements), derived_place(migration))
}

/// Where the statements of a derived way back stand: in no file.
pub fn derived_place(migration: &str) -> Place {
    Place::at(format!("derived:{migration}"), 1, 1)
}

/// One transaction, or several where a statement must be committed before the next.
pub(super) fn text(statements: &[Statement]) -> String {
    match units(statements).as_slice() {
        [only] => body(only),
        several => several.iter().map(framed).collect(),
    }
}

fn framed(unit: &Unit<'_>) -> String {
    if unit.outside { body(unit) } else { format!("BEGIN;\n{}COMMIT;\n", body(unit)) }
}

fn body(unit: &Unit<'_>) -> String {
    let settings = if unit.outside { "" } else { SETTINGS };
    let lines = unit.statements.iter().map(|statement| format!("{};\n", statement.sql));
    std::iter::once(settings.to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::diff::Framing;

    #[test]
    fn it_is_one_transaction_where_it_can_be() {
        assert_eq!(text(&[]), "");
        let one = text(&[Statement::shared("DROP TABLE a"), Statement::shared("DROP TABLE b")]);
        assert_eq!(one, format!("{SETTINGS}DROP TABLE a;\nDROP TABLE b;\n"));
        let two = text(&[
            Statement { sql: "ALTER TYPE t ADD VALUE 'x'".to_owned(), framing: Framing::Last },
            Statement::shared("b"),
        ]);
        assert_eq!(two.matches("BEGIN;\nSET LOCAL").count(), 2, "{two}");
    }
}
