//! The renames that a migration's statements do, as requests to take them back.
//!
//! Invariant: a request names what is there after the migration, and what it was called before it; one
//! that fits the two schemas no more asks for nothing.

use pgfleet_sql::classify::{RenamedPart, renamed_part};
use pgfleet_sql::{Facts, ObjectKind, QualifiedName};

use super::request::{RenameRequest, RenameSort, Word, quoted};
use super::resolve::resolve;
use super::step::{RenameOrigin, RenameStep};
use crate::schema::Schema;

/// What something was called before the statements, and is called after them.
struct Written {
    sort: RenameSort,
    /// The table or type that it is part of, as it is called in the end.
    owner: Option<QualifiedName>,
    old: QualifiedName,
    new: QualifiedName,
}

/// The steps that give what is in `after` the names that it had in `before`, where a statement in
/// between, with its facts, had renamed it.
pub fn taken_back<'a>(
    after: &Schema,
    before: &Schema,
    statements: impl Iterator<Item = (&'a str, &'a Facts)>,
) -> Vec<RenameStep> {
    let mut fitting: Vec<RenameRequest> = Vec::new();
    let mut steps = Vec::new();
    for request in written(statements).iter().filter_map(Written::request) {
        fitting.push(request);
        match resolve(after, before, &fitting) {
            Ok(more) => steps = more,
            Err(_) => _ = fitting.pop(),
        }
    }
    steps
}

/// What is renamed several times is renamed once; what has parts comes before its parts.
fn written<'a>(statements: impl Iterator<Item = (&'a str, &'a Facts)>) -> Vec<Written> {
    let mut found: Vec<Written> = Vec::new();
    for one in statements.filter_map(|(sql, facts)| of_statement(sql, facts)) {
        for part in &mut found {
            if part.owner.as_ref() == Some(&one.old) && one.owner.is_none() {
                part.owner = Some(one.new.clone());
            }
        }
        let same = |known: &&mut Written| {
            known.sort == one.sort && known.owner == one.owner && known.new == one.old
        };
        match found.iter_mut().find(same) {
            Some(known) => known.new = one.new,
            None => found.push(one),
        }
    }
    found.sort_by_key(|one| one.owner.is_some());
    found
}

fn of_statement(sql: &str, facts: &Facts) -> Option<Written> {
    if let Some(RenamedPart { of_type, is_value, old, new }) = renamed_part(sql) {
        let sort = if is_value { RenameSort::Value } else { RenameSort::Column };
        let [old, new] = [old, new].map(QualifiedName::bare);
        return Some(Written { sort, owner: Some(of_type), old, new });
    }
    let rename = facts.rename.as_ref()?;
    let (from, sort) = (&rename.from, sort(rename.from.kind)?);
    Some(Written { sort, owner: from.on.clone(), old: from.name.clone(), new: rename.to.clone() })
}

fn sort(kind: ObjectKind) -> Option<RenameSort> {
    use ObjectKind as Of;
    Some(match kind {
        Of::Schema => RenameSort::Schema,
        Of::Table | Of::ForeignTable => RenameSort::Table,
        Of::View | Of::MaterializedView => RenameSort::View,
        Of::Index => RenameSort::Index,
        Of::Sequence => RenameSort::Sequence,
        Of::Type | Of::Domain => RenameSort::Type,
        Of::Collation => RenameSort::Collation,
        Of::Function | Of::Procedure | Of::Routine | Of::Aggregate => RenameSort::Function,
        Of::Statistics => RenameSort::Statistics,
        Of::Publication => RenameSort::Publication,
        Of::Constraint => RenameSort::Constraint,
        Of::Trigger => RenameSort::Trigger,
        Of::Policy => RenameSort::Policy,
        Of::Rule => RenameSort::Rule,
        Of::Column => RenameSort::Column,
        _ => return None,
    })
}

impl Written {
    /// From the new name to the old one; none when they are the same.
    fn request(&self) -> Option<RenameRequest> {
        if self.old == self.new {
            return None;
        }
        let words = |name: &QualifiedName| -> Vec<Word> {
            let parts = name.schema.iter().chain([&name.name]);
            parts.map(|text| Word { text: text.clone(), quoted: true }).collect()
        };
        let mut old: Vec<Word> = self.owner.iter().flat_map(words).collect();
        old.extend(words(&self.new));
        let text = |words: &[Word]| {
            words.iter().map(|word| quoted(&word.text)).collect::<Vec<_>>().join(".")
        };
        let new = words(&self.old);
        let text = format!("{}:{}={}", self.sort.word(), text(&old), text(&new));
        let (sort, origin) = (Some(self.sort), RenameOrigin::Annotated);
        Some(RenameRequest { sort, old, signature: None, new, origin, text })
    }
}

#[cfg(test)]
mod tests {
    use pgfleet_sql::classify::classify;

    use super::*;

    fn requests(statements: &[&str]) -> Vec<String> {
        let facts: Vec<_> = statements.iter().map(|sql| classify(sql)).collect();
        let written = written(statements.iter().copied().zip(&facts));
        written.iter().filter_map(Written::request).map(|request| request.to_string()).collect()
    }

    #[test]
    fn names_are_those_of_the_end_and_of_the_beginning() {
        let found = requests(&[
            "ALTER TABLE a RENAME COLUMN x TO y",
            "ALTER TABLE a RENAME y TO z",
            "ALTER TABLE a RENAME TO \"B\"",
            "ALTER TABLE a RENAME v TO w",
            "ALTER TABLE a RENAME w TO v",
            "ALTER TYPE s.mood RENAME VALUE 'so' TO 'so.so'",
            "ALTER TYPE pair RENAME ATTRIBUTE a TO b CASCADE",
            "ALTER TABLE \"B\" RENAME CONSTRAINT k TO l",
            "ALTER TABLE s.t SET SCHEMA u",
            "CREATE INDEX i ON t (a)",
        ]);
        let expected = [
            "table:B=a",
            "table:u.t=s.t",
            "column:B.z=x",
            "value:s.mood.\"so.so\"=so",
            "column:pair.b=a",
            "constraint:B.l=k",
        ];
        assert_eq!(found, expected);
    }
}
