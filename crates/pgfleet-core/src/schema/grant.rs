//! What roles may do.
//!
//! Invariant: an owner's own privileges are never listed, and a role that holds every privilege of
//! a table holds `ALL`, whatever the server's version counts among them.

use serde::{Deserialize, Serialize};

use super::identity::Kind;
use super::table::is_default;

/// The role that means everybody. No role can have this name (in lower case) itself.
pub const PUBLIC: &str = "public";

/// One privilege of one role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Grant {
    /// The role's name, or [`PUBLIC`].
    pub role: String,
    /// `SELECT`, `EXECUTE`, … or `ALL`.
    pub privilege: String,
    /// `WITH GRANT OPTION`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grantable: bool,
}

/// `ALTER DEFAULT PRIVILEGES`: what is granted on objects that a role will make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultPrivileges {
    /// The role that makes them.
    pub role: String,
    /// `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`, `SCHEMAS` or `LARGE OBJECTS`.
    pub on: String,
    /// In this schema alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schema: Option<String>,
    /// Sorted.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

impl DefaultPrivileges {
    /// What holds without them: with no schema they replace the built-in ones, with one they are
    /// added to them.
    pub fn builtin(&self) -> Vec<Grant> {
        match (self.schema.is_none(), self.on.as_str()) {
            (true, "FUNCTIONS") => granted_at_creation(Kind::Function),
            (true, "TYPES") => granted_at_creation(Kind::Enum),
            _ => Vec::new(),
        }
    }
}

/// Names of the letters in access privileges
/// (documentation, "ACL Privilege Abbreviations").
const LETTERS: &[(char, &str)] = &[
    ('r', "SELECT"),
    ('a', "INSERT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('m', "MAINTAIN"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('c', "CONNECT"),
    ('T', "TEMPORARY"),
    ('s', "SET"),
    ('A', "ALTER SYSTEM"),
];

/// Every privilege on tables but MAINTAIN, which PostgreSQL 17 added.
const ON_TABLES: &[&str] =
    &["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];

/// Reads `aclitem`s (`role=arw*/grantor`), leaving out those of the owner.
pub fn read_acl(items: &[String], owner: &str) -> Vec<Grant> {
    let mut grants: Vec<Grant> =
        items.iter().filter_map(|item| read_item(item, owner)).flatten().collect();
    grants.sort();
    grants.dedup();
    fold_all(grants)
}

fn read_item(item: &str, owner: &str) -> Option<Vec<Grant>> {
    let (role, rest) = split_role(item)?;
    if role == owner {
        return None;
    }
    let role = if role.is_empty() { PUBLIC.to_owned() } else { role };
    let letters: Vec<char> = rest.split('/').next()?.chars().collect();
    let grant = |(at, letter): (usize, &char)| {
        let (_, privilege) = LETTERS.iter().find(|(known, _)| known == letter)?;
        let grantable = letters.get(at + 1) == Some(&'*');
        Some(Grant { role: role.clone(), privilege: (*privilege).to_owned(), grantable })
    };
    Some(letters.iter().enumerate().filter_map(grant).collect())
}

/// The role of an item, unquoted, and what follows the equals sign.
fn split_role(item: &str) -> Option<(String, &str)> {
    let Some(quoted) = item.strip_prefix('"') else {
        let (role, rest) = item.split_once('=')?;
        return Some((role.to_owned(), rest));
    };
    let mut role = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                role.push('"');
                characters.next();
            }
            '"' => return Some((role, quoted.get(at + 2..)?)),
            _ => role.push(character),
        }
    }
    None
}

fn fold_all(grants: Vec<Grant>) -> Vec<Grant> {
    let mut folded: Vec<Grant> = Vec::new();
    for group in grants.chunk_by(|a, b| a.role == b.role) {
        let holds = |name: &&str, grantable| {
            group.iter().any(|grant| grant.privilege == **name && grant.grantable == grantable)
        };
        let all = [false, true].into_iter().find(|flag| ON_TABLES.iter().all(|p| holds(p, *flag)));
        match all {
            Some(grantable) => folded.push(Grant {
                role: group[0].role.clone(),
                privilege: "ALL".to_owned(),
                grantable,
            }),
            None => folded.extend(group.iter().cloned()),
        }
    }
    folded
}

/// What PostgreSQL grants on a new object to others than its owner (`acldefault` in
/// src/backend/utils/adt/acl.c).
pub(super) fn granted_at_creation(kind: Kind) -> Vec<Grant> {
    let privilege = match kind {
        Kind::Function | Kind::Procedure | Kind::Aggregate => "EXECUTE",
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range => "USAGE",
        _ => return Vec::new(),
    };
    vec![Grant { role: PUBLIC.to_owned(), privilege: privilege.to_owned(), grantable: false }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(items: &[&str]) -> Vec<String> {
        let items: Vec<_> = items.iter().map(|item| (*item).to_owned()).collect();
        let shown = |grant: &Grant| {
            format!("{} {}{}", grant.role, grant.privilege, if grant.grantable { "*" } else { "" })
        };
        read_acl(&items, "owner").iter().map(shown).collect()
    }

    #[test]
    fn items_are_read_as_postgresql_writes_them() {
        assert_eq!(read(&["owner=arwdDxt/owner", "=r/owner"]), ["public SELECT"]);
        assert_eq!(read(&["\"a=\"\"b\"=r*w/owner"]), ["a=\"b SELECT*", "a=\"b UPDATE"]);
        assert_eq!(read(&["nonsense", "\"open"]), Vec::<String>::new());
    }

    #[test]
    fn all_is_all_on_every_version() {
        assert_eq!(read(&["a=arwdDxt/owner"]), ["a ALL"]);
        assert_eq!(read(&["a=arwdDxtm/owner"]), ["a ALL"]);
        assert_eq!(read(&["a=ar/owner"]), ["a INSERT", "a SELECT"]);
    }
}
