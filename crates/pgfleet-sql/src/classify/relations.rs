//! Finds the relations that queries read and write.
//!
//! Invariant: every parenthesis has its own level, so what a word means never leaks out of it; names
//! of common table expressions are not relations.

use std::collections::HashSet;

use super::{Facts, LockMode, ObjectKind};
use crate::cursor::Cursor;
use crate::name::QualifiedName;

/// What was read of one level of parentheses.
#[derive(Debug, Default)]
struct Level {
    /// Nothing was read yet.
    fresh: bool,
    /// A FROM here begins a list of relations, and is not `extract(year FROM x)`.
    query: bool,
    /// A USING here does so (`DELETE … USING`, `MERGE … USING`).
    using: bool,
    /// In a list of common table expressions.
    with: bool,
    /// In a list of relations.
    from: bool,
    /// A relation is next.
    expect: bool,
}

/// Adds what the queries in these tokens read and write to `uses` and `locks`.
pub(super) fn read(cursor: Cursor<'_>, facts: &mut Facts) {
    if !["FROM", "JOIN", "INTO", "UPDATE", "USING", "TABLE"]
        .iter()
        .any(|word| cursor.has_deep(word))
    {
        return;
    }
    let mut reader =
        Reader { cursor, levels: vec![Level::start()], found: Vec::new(), common: HashSet::new() };
    while !reader.cursor.at_end() {
        reader.step();
    }
    for (name, mode) in reader.found {
        if name.schema.is_some() || !reader.common.contains(&name.name) {
            facts.lock(mode, &name);
            facts.uses(ObjectKind::Relation, name);
        }
    }
}

impl Level {
    fn start() -> Self {
        Self { fresh: true, ..Self::default() }
    }
}

struct Reader<'tokens> {
    cursor: Cursor<'tokens>,
    levels: Vec<Level>,
    found: Vec<(QualifiedName, LockMode)>,
    common: HashSet<String>,
}

impl Reader<'_> {
    fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.levels.push(Level::start());
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn step(&mut self) {
        if self.cursor.eat_symbol(b'(') {
            let joins = std::mem::take(&mut self.level().expect);
            self.level().fresh = false;
            self.levels.push(Level { query: joins, from: joins, expect: joins, ..Level::start() });
        } else if self.cursor.eat_symbol(b')') {
            self.levels.pop();
        } else if self.cursor.eat_symbol(b',') {
            self.take_comma();
        } else if self.cursor.is_name() {
            self.take_name();
        } else {
            self.cursor.bump();
            let level = self.level();
            (level.fresh, level.expect) = (false, false);
        }
    }

    fn take_comma(&mut self) {
        let level = self.level();
        level.expect = level.from;
        if level.with {
            self.take_common_name();
        }
    }

    fn take_common_name(&mut self) {
        if let Some(name) = self.cursor.ident() {
            self.common.insert(name);
        }
    }

    fn take_name(&mut self) {
        let fresh = std::mem::take(&mut self.level().fresh);
        if !self.take_keyword(fresh) {
            if std::mem::take(&mut self.level().expect) {
                self.take_relation(LockMode::AccessShare);
            } else {
                self.cursor.bump();
            }
        }
    }

    /// Moves over a word that changes the level's state; false when the word is none.
    fn take_keyword(&mut self, fresh: bool) -> bool {
        let begins = fresh || self.level().with;
        match self.cursor.word().to_ascii_uppercase().as_str() {
            "SELECT" | "VALUES" => self.begin_query(),
            "WITH" if fresh => {
                self.cursor.bump();
                self.cursor.eat(&["RECURSIVE"]);
                self.level().with = true;
                self.take_common_name();
            }
            "INSERT" if begins => self.begin_write(&["INSERT", "INTO"], false),
            "MERGE" if begins => self.begin_write(&["MERGE", "INTO"], true),
            "DELETE" if begins => self.begin_write(&["DELETE", "FROM"], true),
            "UPDATE" if begins => self.begin_write(&["UPDATE"], false),
            "TABLE" if begins => {
                self.cursor.bump();
                self.take_relation(LockMode::AccessShare);
            }
            "IS" => drop((
                self.cursor.bump(),
                self.cursor.eat(&["NOT"]),
                self.cursor.eat(&["DISTINCT", "FROM"]),
            )),
            "FROM" if self.level().query => self.begin_list(),
            "USING" if self.level().using => {
                self.level().using = false;
                self.begin_list();
            }
            "JOIN" => {
                self.cursor.bump();
                let level = self.level();
                level.expect = level.from;
            }
            "ONLY" | "LATERAL" if self.level().expect => self.cursor.bump(),
            "ROWS" if self.cursor.is(&["ROWS", "FROM"]) => {
                self.cursor.eat(&["ROWS", "FROM"]);
                self.cursor.skip();
                self.level().expect = false;
            }
            "WHERE" | "GROUP" | "ORDER" | "HAVING" | "LIMIT" | "OFFSET" | "FETCH" | "WINDOW"
            | "RETURNING" | "UNION" | "INTERSECT" | "EXCEPT" | "SET" | "WHEN" => self.end_list(),
            "FOR" => self.take_row_lock(),
            _ => return false,
        }
        true
    }

    fn begin_query(&mut self) {
        self.cursor.bump();
        *self.level() = Level { query: true, ..Level::default() };
    }

    fn begin_list(&mut self) {
        self.cursor.bump();
        let level = self.level();
        (level.from, level.expect) = (true, true);
    }

    fn end_list(&mut self) {
        self.cursor.bump();
        let level = self.level();
        (level.from, level.expect) = (false, false);
    }

    fn begin_write(&mut self, words: &[&str], using: bool) {
        if !self.cursor.eat(words) {
            self.cursor.bump();
            return;
        }
        self.cursor.eat(&["ONLY"]);
        *self.level() = Level { query: true, using, ..Level::default() };
        if let Some(name) = self.cursor.qualified() {
            self.found.push((name, LockMode::RowExclusive));
        }
    }

    fn take_relation(&mut self, mode: LockMode) {
        match self.cursor.qualified() {
            // A function in FROM.
            Some(_) if self.cursor.is_symbol(b'(') => {}
            Some(name) => self.found.push((name, mode)),
            None => self.cursor.bump(),
        }
    }

    /// `FOR UPDATE` and its kin lock every relation that was read before (or those they name, which
    /// are among them).
    fn take_row_lock(&mut self) {
        self.cursor.bump();
        let locks = self.cursor.is_any(&["UPDATE", "SHARE", "NO", "KEY"]);
        if !locks {
            return;
        }
        self.end_list();
        let read = self.found.iter_mut().filter(|(_, mode)| *mode == LockMode::AccessShare);
        read.for_each(|(_, mode)| *mode = LockMode::RowShare);
    }
}
