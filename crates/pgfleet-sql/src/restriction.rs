//! Which tables a statement touches without a condition on a column of theirs.
//!
//! Invariant: a table that is reported is named in the statement. A condition counts when it names the
//! column, whatever it says about it.

use crate::cursor::{Cursor, Tokens};
use crate::name::QualifiedName;

/// A table that a statement names.
#[derive(Debug)]
struct Reference {
    table: QualifiedName,
    alias: Option<String>,
    query: usize,
    /// Of an `INSERT`, whether its column list has the column.
    listed: Option<bool>,
}

/// The column in a condition.
struct Mention {
    qualifier: Option<String>,
    query: usize,
}

/// The tables for which `is_wanted` holds, and that no condition on `column` restricts. An `INSERT` is
/// restricted when its column list has the column.
pub fn unrestricted(
    sql: &str,
    column: &str,
    is_wanted: &dyn Fn(&QualifiedName) -> bool,
) -> Vec<QualifiedName> {
    let tokens = Tokens::new(sql);
    let mut walk = Walk { column, references: Vec::new(), mentions: Vec::new(), queries: 1 };
    walk.run(tokens.cursor());
    let Walk { references, mentions, .. } = walk;
    let mut found = Vec::new();
    for reference in references.iter().filter(|r| is_wanted(&r.table)) {
        let is_restricted = reference
            .listed
            .unwrap_or_else(|| mentions.iter().any(|m| restricts(m, reference, &references)));
        if !is_restricted && !found.contains(&reference.table) {
            found.push(reference.table.clone());
        }
    }
    found
}

/// Without a qualifier a column belongs to its own query, or, where that has no table, to one around.
fn restricts(mention: &Mention, reference: &Reference, all: &[Reference]) -> bool {
    match &mention.qualifier {
        Some(name) => {
            reference.alias.as_ref().map_or(*name == reference.table.name, |alias| alias == name)
        }
        None => mention.query == reference.query || !all.iter().any(|r| r.query == mention.query),
    }
}

struct Walk<'a> {
    column: &'a str,
    references: Vec<Reference>,
    mentions: Vec<Mention>,
    /// Queries so far, those inside of parentheses and of `UNION` too.
    queries: usize,
}

const CONDITIONS: &[&str] = &["WHERE", "ON", "HAVING"];
const NO_CONDITIONS: &[&str] = &[
    "SELECT",
    "FROM",
    "JOIN",
    "GROUP",
    "ORDER",
    "SET",
    "RETURNING",
    "VALUES",
    "LIMIT",
    "INTO",
    "INSERT",
    "UPDATE",
    "DELETE",
    "WINDOW",
];
const NO_ALIAS: &[&str] = &[
    "ON",
    "WHERE",
    "SET",
    "JOIN",
    "LEFT",
    "RIGHT",
    "INNER",
    "CROSS",
    "FULL",
    "NATURAL",
    "USING",
    "ORDER",
    "GROUP",
    "LIMIT",
    "VALUES",
    "SELECT",
    "RETURNING",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "HAVING",
    "WINDOW",
    "FOR",
    "OFFSET",
    "FETCH",
    "DEFAULT",
    "OVERRIDING",
    "TABLESAMPLE",
    "WHEN",
];

impl Walk<'_> {
    fn run(&mut self, mut cursor: Cursor<'_>) {
        // The query at each open parenthesis, and whether a condition was being read there.
        let mut around: Vec<(usize, bool)> = Vec::new();
        let (mut query, mut in_condition) = (0, false);
        while !cursor.at_end() {
            if cursor.eat_symbol(b'(') {
                around.push((query, in_condition));
                if cursor.is_any(&["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"]) {
                    query = self.next_query();
                    in_condition = false;
                }
            } else if cursor.eat_symbol(b')') {
                (query, in_condition) = around.pop().unwrap_or((query, in_condition));
            } else if cursor.eat_any(&["UNION", "EXCEPT", "INTERSECT"]) {
                query = self.next_query();
                in_condition = false;
            } else if cursor.is(&["DISTINCT", "FROM"]) {
                cursor.bump();
                cursor.bump();
            } else if cursor.is(&["ON", "CONFLICT"]) {
                cursor.bump();
                cursor.bump();
                in_condition = false;
            } else if cursor.eat_any(CONDITIONS) {
                in_condition = true;
            } else if cursor.is_any(&["FROM", "JOIN", "UPDATE", "INTO", "USING"]) {
                in_condition = cursor.is(&["USING"]);
                self.tables(&mut cursor, query);
            } else if cursor.eat_any(NO_CONDITIONS) {
                in_condition = false;
            } else if cursor.is_name() {
                self.name(&mut cursor, query, in_condition);
            } else {
                cursor.bump();
            }
        }
    }

    fn next_query(&mut self) -> usize {
        self.queries += 1;
        self.queries - 1
    }

    /// The tables behind `FROM`, `JOIN`, `UPDATE`, `INTO` and the `USING` of `DELETE`.
    fn tables(&mut self, cursor: &mut Cursor<'_>, query: usize) {
        let into = cursor.is(&["INTO"]);
        cursor.bump();
        loop {
            let _ = cursor.eat_any(&["ONLY", "LATERAL"]);
            let before = *cursor;
            let Some(table) = cursor.qualified() else { return };
            if cursor.is_symbol(b'(') && !into {
                // A function, whose arguments are read as anything else.
                *cursor = before;
                cursor.bump();
                return;
            }
            let named = cursor.eat(&["AS"]);
            let is_alias = named || (cursor.is_name() && !cursor.is_any(NO_ALIAS));
            let alias = if is_alias { cursor.ident() } else { None };
            let listed = into.then(|| self.lists_column(cursor));
            self.references.push(Reference { table, alias, query, listed });
            if !cursor.eat_symbol(b',') {
                return;
            }
        }
    }

    fn lists_column(&self, cursor: &Cursor<'_>) -> bool {
        let mut list = *cursor;
        let Some(inside) = list.parenthesized() else { return false };
        inside.items().into_iter().any(|mut item| item.ident().as_deref() == Some(self.column))
    }

    fn name(&mut self, cursor: &mut Cursor<'_>, query: usize, in_condition: bool) {
        let Some((owner, name)) = cursor.owner_and_name() else { return cursor.bump() };
        if in_condition && name == self.column {
            self.mentions.push(Mention { qualifier: owner.map(|owner| owner.name), query });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(sql: &str) -> String {
        let wanted = |name: &QualifiedName| name.name == "a" || name.name == "b";
        let found = unrestricted(sql, "org", &wanted);
        found.iter().map(|name| name.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tables_without_a_condition_are_found() {
        for (sql, expected) in [
            ("SELECT * FROM a WHERE id = 1", "a"),
            ("SELECT * FROM a WHERE id = 1 AND org = $1", ""),
            ("SELECT org FROM a ORDER BY org", "a"),
            ("SELECT * FROM a x JOIN b ON b.a = x.id WHERE x.org = 1", "b"),
            ("SELECT * FROM a x JOIN b AS y ON y.org = x.org", ""),
            ("SELECT * FROM a JOIN b USING (id, org)", ""),
            ("SELECT * FROM s.a, b WHERE org = 1", ""),
            ("SELECT * FROM c WHERE id IN (SELECT id FROM a) AND org = 2", "a"),
            ("SELECT * FROM a WHERE org = 1 UNION ALL SELECT * FROM b", "b"),
            ("UPDATE a SET org = 1 WHERE id = 2", "a"),
            ("UPDATE a SET x = 1 WHERE org = 2", ""),
            ("DELETE FROM a USING c WHERE a.org = c.org", ""),
            ("INSERT INTO a (x, org) VALUES (1, 2) ON CONFLICT (org) DO NOTHING", ""),
            ("INSERT INTO a (x) SELECT x FROM b WHERE org = 1", "a"),
            ("SELECT 'FROM a' FROM c -- from a", ""),
            ("WITH w AS (SELECT * FROM a WHERE org = 1) SELECT * FROM w JOIN b ON true", "b"),
            ("SELECT extract(year FROM d), x IS DISTINCT FROM a FROM c", ""),
        ] {
            assert_eq!(open(sql), expected, "{sql}");
        }
    }
}
