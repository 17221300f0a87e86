//! What a key or an index is for, whatever its name and form: the same columns of the same table.

use crate::schema::{Body, ConstraintKind, Object, ObjectId};

/// What two keys or indexes have in common that are one to Prisma.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Primary {
        table: String,
        columns: String,
    },
    /// A unique constraint and a unique index are one.
    Unique {
        table: String,
        columns: String,
    },
    Index {
        table: String,
        method: String,
        columns: String,
    },
    Foreign {
        table: String,
        rule: String,
    },
}

impl Meaning {
    pub(super) fn of(object: &Object) -> Option<Self> {
        let table = super::sql_table(&object.id.schema, &object.id.table);
        match &object.body {
            Body::Constraint(constraint) => {
                let definition = constraint.definition.as_str();
                let columns = || inside(definition).unwrap_or_default().to_owned();
                match constraint.kind {
                    ConstraintKind::PrimaryKey => Some(Self::Primary { table, columns: columns() }),
                    ConstraintKind::Unique => Some(Self::Unique { table, columns: columns() }),
                    ConstraintKind::ForeignKey => {
                        Some(Self::Foreign { table, rule: rule(definition).to_owned() })
                    }
                    _ => None,
                }
            }
            Body::Index(index) if has_words(&index.definition) => {
                let (method, columns) = elements(&index.definition)?;
                let (table, columns) = (index.table.clone(), columns.to_owned());
                Some(match index.unique && method == "btree" {
                    true => Self::Unique { table, columns },
                    false => Self::Index { table, method: method.to_owned(), columns },
                })
            }
            _ => None,
        }
    }
}

/// True for an index that schema.prisma can describe: whole, and of columns alone.
pub(super) fn has_words(definition: &str) -> bool {
    let Some((_, columns)) = elements(definition) else { return false };
    let start = columns.as_ptr() as usize - definition.as_ptr() as usize;
    let rest = &definition[start + columns.len()..];
    !rest.contains(" WHERE ") && !holds_expression(columns)
}

/// The same object under another name.
pub(super) fn renamed(mut object: Object, new: &ObjectId) -> Object {
    if let Body::Index(index) = &mut object.body {
        let quoted = |id: &ObjectId| pgfleet_sql::quote_ident(&id.name).to_string();
        let (old, new) = (quoted(&object.id), quoted(new));
        let head = format!("INDEX {old} ON ");
        index.definition = index.definition.replacen(&head, &format!("INDEX {new} ON "), 1);
    }
    object.id = new.clone();
    object
}

/// Method and elements of an index.
fn elements(definition: &str) -> Option<(&str, &str)> {
    let (_, rest) = definition.split_once(" USING ")?;
    let (method, _) = rest.split_once(' ')?;
    Some((method, inside(rest)?))
}

/// What stands in the first parentheses.
fn inside(text: &str) -> Option<&str> {
    let (mut quoted, mut depth, mut start) = (false, 0_usize, None);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => {
                depth += 1;
                start = start.or(Some(at + 1));
            }
            ')' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text.get(start?..at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Parentheses belong to expressions, or to parameters of an operator class, which Prisma has no
/// words for either.
fn holds_expression(columns: &str) -> bool {
    let outside = columns.split('"').step_by(2);
    outside.into_iter().any(|part| part.contains('('))
}

/// A foreign key's columns and actions, without when it is checked.
fn rule(definition: &str) -> &str {
    let ends = [" DEFERRABLE", " NOT VALID", " NOT ENFORCED"];
    let end = ends.iter().filter_map(|word| definition.find(word)).min();
    &definition[..end.unwrap_or(definition.len())]
}
