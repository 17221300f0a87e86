//! `COMMENT ON`.

use std::collections::BTreeSet;

use pgfleet_sql::quote_ident;

use super::{address, literal};
use crate::schema::{Body, Kind, Object};

/// Statements that give an object the comments that it shall have.
pub(super) fn change(old: Option<&Object>, new: &Object) -> Vec<String> {
    let mut statements = Vec::new();
    let had = old.and_then(|old| old.comment.as_ref());
    if had != new.comment.as_ref() {
        let target = match &new.body {
            Body::DefaultPrivileges(_) | Body::UserMapping(_) => return statements,
            _ => address(new),
        };
        statements.push(comment_on(&target, new.comment.as_deref()));
    }
    let before = old.map(|old| &old.part_comments);
    let names: BTreeSet<&String> =
        before.into_iter().flat_map(|map| map.keys()).chain(new.part_comments.keys()).collect();
    for name in names {
        let had = before.and_then(|map| map.get(name));
        let wanted = new.part_comments.get(name);
        if had != wanted && (wanted.is_some() || has_part(new, name)) {
            statements.push(comment_on(&part_address(new, name), wanted.map(String::as_str)));
        }
    }
    statements
}

/// The comments of columns that are dropped and added again, which go with them.
pub(super) fn of_column(object: &Object, name: &str) -> Option<String> {
    let text = object.part_comments.get(name)?;
    Some(comment_on(&part_address(object, name), Some(text)))
}

fn has_part(object: &Object, name: &str) -> bool {
    match &object.body {
        Body::Domain(domain) => domain.constraints.iter().any(|one| one.name == name),
        _ => object.columns().iter().any(|column| column.name == name),
    }
}

fn part_address(object: &Object, name: &str) -> String {
    let (part, owner) = (quote_ident(name), object.id.sql_name());
    match object.id.kind {
        Kind::Domain => format!("CONSTRAINT {part} ON DOMAIN {owner}"),
        _ => format!("COLUMN {owner}.{part}"),
    }
}

fn comment_on(target: &str, text: Option<&str>) -> String {
    format!("COMMENT ON {target} IS {}", text.map_or_else(|| "NULL".to_owned(), literal))
}
