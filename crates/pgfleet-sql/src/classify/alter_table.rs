//! ALTER TABLE and its relatives, action by action.
//!
//! Invariant: an action that is not known takes the strongest lock, as PostgreSQL's documentation
//! says: "ACCESS EXCLUSIVE lock is acquired unless explicitly noted".

use super::alter::{self, altered};
use super::{Facts, LockMode, ObjectKind, ObjectRef, Severity, Transaction, create_table};
use crate::cursor::Cursor;
use crate::name::QualifiedName;

pub(super) fn read(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    if cursor.eat(&["ALL", "IN", "TABLESPACE"]) {
        facts.rewrite("moves the files of every table to another tablespace");
        return facts.lock_unnamed(LockMode::AccessExclusive);
    }
    facts.if_exists = cursor.eat(&["IF", "EXISTS"]);
    cursor.eat(&["ONLY"]);
    let Some(name) = cursor.qualified() else { return };
    if cursor.text() == "*" {
        cursor.bump();
    }
    alter::read_new_name(cursor, ObjectRef { kind, name: name.clone(), on: None }, facts);
    let mut table = Altered { name: name.clone(), kind, facts };
    cursor.items().into_iter().for_each(|action| table.read_action(action));
    let used = if kind == ObjectKind::Index { kind } else { ObjectKind::Relation };
    facts.uses(used, name.clone());
    altered(facts, kind, name, None);
}

struct Altered<'facts> {
    name: QualifiedName,
    kind: ObjectKind,
    facts: &'facts mut Facts,
}

impl Altered<'_> {
    fn lock(&mut self, mode: LockMode) {
        let name = self.name.clone();
        self.facts.lock(mode, &name);
    }

    fn read_action(&mut self, mut action: Cursor<'_>) {
        match action.word().to_ascii_uppercase().as_str() {
            _ if self.kind == ObjectKind::Sequence => self.read_sequence(action),
            "ADD" => self.read_add(action),
            "DROP" => self.read_drop(action),
            "ALTER" => {
                action.bump();
                if action.eat(&["CONSTRAINT"]) {
                    self.lock(LockMode::AccessExclusive);
                } else {
                    self.read_column(action);
                }
            }
            "VALIDATE" => {
                self.facts.scans = true;
                self.lock(LockMode::ShareUpdateExclusive);
            }
            "ATTACH" => self.read_attach(action),
            "DETACH" => self.read_detach(action),
            "ENABLE" | "DISABLE" => self.read_enable(action),
            "RENAME" => {
                self.facts.once_only("the old name is gone");
                let index = self.kind == ObjectKind::Index;
                let mode =
                    if index { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
                self.lock(mode);
            }
            "CLUSTER" => self.lock(LockMode::ShareUpdateExclusive),
            "SET" | "RESET" => self.read_set(action),
            "INHERIT" | "NO" => {
                self.facts.once_only("the parent is set already");
                self.lock(LockMode::AccessExclusive);
            }
            _ => self.lock(LockMode::AccessExclusive),
        }
    }

    fn read_sequence(&mut self, action: Cursor<'_>) {
        let moved = action.is_any(&["RENAME", "OWNER"]) || action.is(&["SET", "SCHEMA"]);
        if action.is_any(&["RENAME"]) || action.is(&["SET", "SCHEMA"]) {
            self.facts.once_only("the old name is gone");
        }
        let mode = if moved { LockMode::AccessExclusive } else { LockMode::ShareRowExclusive };
        self.lock(mode);
    }

    fn read_add(&mut self, mut action: Cursor<'_>) {
        action.eat(&["ADD"]);
        if create_table::is_constraint(action) {
            return self.read_add_constraint(action);
        }
        action.eat(&["COLUMN"]);
        let guarded = action.eat(&["IF", "NOT", "EXISTS"]);
        self.facts.if_not_exists |= guarded;
        let start = action;
        let Some(column) = action.ident() else { return };
        self.lock(LockMode::AccessExclusive);
        if !guarded {
            self.facts.once_only(format!("column {column} exists already"));
        }
        create_table::read_column(start, self.facts);
        self.read_new_values(start);
        let (name, on) = (QualifiedName::bare(column), Some(self.name.clone()));
        self.facts.creates.push(ObjectRef { kind: ObjectKind::Column, name, on });
    }

    /// Since PostgreSQL 11 a constant default is kept in the catalog and needs no rewrite.
    fn read_new_values(&mut self, column: Cursor<'_>) {
        let stored = column.has(&["STORED"]);
        if stored {
            self.facts.rewrite("a stored generated column is computed for every row");
        } else if column.has(&["AS", "IDENTITY"]) || is_serial(column) {
            self.facts.rewrite("every row gets a number of its own");
        } else if let Some(default) = column.find(&["DEFAULT"]) {
            self.read_default(default);
        }
        if column.has(&["UNIQUE"]) || column.has(&["PRIMARY", "KEY"]) {
            self.facts.scans = true;
        }
        if column.has(&["CHECK"]) || column.has(&["REFERENCES"]) && column.has(&["DEFAULT"]) {
            self.facts.scans = true;
        }
    }

    fn read_default(&mut self, default: Cursor<'_>) {
        if calls_volatile(default) {
            self.facts.rewrite("a volatile default is computed for every row");
        } else if calls_unknown(default) {
            self.facts.rewrite("may rewrite: the default calls a function that may be volatile");
        }
    }

    fn read_add_constraint(&mut self, mut action: Cursor<'_>) {
        let named = action.eat(&["CONSTRAINT"]).then(|| action.ident()).flatten();
        let existing = named.as_deref().unwrap_or("the constraint").to_owned();
        self.facts.once_only(format!("{existing} exists already, or a second one is made"));
        let trusted = action.has(&["NOT", "VALID"])
            || action.has(&["USING", "INDEX"]) && !action.has(&["USING", "INDEX", "TABLESPACE"])
            || action.has(&["NOT", "ENFORCED"]);
        self.facts.scans |= !trusted;
        if action.is(&["FOREIGN"]) {
            self.lock(LockMode::ShareRowExclusive);
            let own = self.name.clone();
            create_table::read_references(action, self.facts);
            self.facts.uses.retain(|used| used.name != own);
        } else {
            self.lock(LockMode::AccessExclusive);
        }
        if let Some(name) = named {
            let (name, on) = (QualifiedName::bare(name), Some(self.name.clone()));
            self.facts.creates.push(ObjectRef { kind: ObjectKind::Constraint, name, on });
        }
    }

    fn read_drop(&mut self, mut action: Cursor<'_>) {
        action.eat(&["DROP"]);
        self.lock(LockMode::AccessExclusive);
        let constraint = action.eat(&["CONSTRAINT"]);
        if !constraint {
            action.eat(&["COLUMN"]);
        }
        let guarded = action.eat(&["IF", "EXISTS"]);
        let Some(name) = action.ident() else { return };
        if !guarded {
            self.facts.once_only(format!("{name} is gone"));
        }
        let kind = if constraint { ObjectKind::Constraint } else { ObjectKind::Column };
        let name = QualifiedName::bare(name);
        if !constraint {
            self.facts.lose(Severity::Certain, format!("drops column {name} of {}", self.name));
        }
        self.facts.drops.push(ObjectRef { kind, name, on: Some(self.name.clone()) });
    }

    /// `ALTER [COLUMN] name …`
    fn read_column(&mut self, mut action: Cursor<'_>) {
        action.eat(&["COLUMN"]);
        let column = match action.ident() {
            Some(column) => column,
            None => {
                action.bump();
                String::new()
            }
        };
        let light = action.is(&["SET", "STATISTICS"])
            || action.is_any(&["RESET"])
            || action.is(&["SET"]) && is_option_list(action);
        self.lock(if light { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive });
        if action.is(&["SET", "NOT", "NULL"]) {
            self.facts.scans = true;
        } else if action.eat(&["SET", "DATA", "TYPE"]) || action.eat(&["TYPE"]) {
            self.read_type_change(&column, action);
        } else if action.is(&["SET", "EXPRESSION"]) {
            self.facts.rewrite("a stored generated column is computed anew for every row");
        } else if action.is(&["ADD", "GENERATED"]) {
            self.facts.once_only(format!("column {column} is an identity column already"));
        } else if action.is_any(&["DROP"]) && !action.has(&["IF", "EXISTS"]) {
            let kept = action.is(&["DROP", "DEFAULT"]) || action.is(&["DROP", "NOT"]);
            if !kept {
                self.facts.once_only(format!("column {column} is changed already"));
            }
        }
        altered(
            self.facts,
            ObjectKind::Column,
            QualifiedName::bare(column),
            Some(self.name.clone()),
        );
    }

    fn read_type_change(&mut self, column: &str, mut action: Cursor<'_>) {
        create_table::read_type(action, self.facts);
        let start = action;
        while !action.at_end() && !action.is_any(&["USING", "COLLATE", "CASCADE", "RESTRICT"]) {
            action.skip();
        }
        let new_type = start.text_until(&action);
        let new_type = new_type.trim_end_matches(';').trim_end();
        // text and varchar without a length take any string, but only the catalog knows the old type.
        let widest = matches!(new_type.to_ascii_lowercase().as_str(), "text" | "varchar");
        self.facts.rewrite("may rewrite: depends on the column's present type");
        if !widest || action.is(&["USING"]) {
            let what = format!("may lose what does not fit {new_type} in column {column}");
            self.facts.lose(Severity::Possible, what);
        }
    }

    fn read_attach(&mut self, mut action: Cursor<'_>) {
        self.facts.once_only("the partition is attached already");
        self.lock(LockMode::ShareUpdateExclusive);
        action.eat(&["ATTACH", "PARTITION"]);
        if let Some(partition) = action.qualified() {
            self.facts.scans |= self.kind != ObjectKind::Index;
            self.facts.lock(LockMode::AccessExclusive, &partition);
            self.facts.uses(ObjectKind::Relation, partition);
        }
    }

    fn read_detach(&mut self, mut action: Cursor<'_>) {
        self.facts.once_only("the partition is detached already");
        action.eat(&["DETACH", "PARTITION"]);
        let Some(partition) = action.qualified() else { return };
        let concurrently = action.is_any(&["CONCURRENTLY"]);
        if concurrently {
            self.facts.transaction = Transaction::Never;
        }
        let light = concurrently || action.is_any(&["FINALIZE"]);
        self.lock(if light { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive });
        self.facts.lock(LockMode::AccessExclusive, &partition);
        self.facts.uses(ObjectKind::Relation, partition);
    }

    /// Triggers matter to writers only; rules and row security to readers too.
    fn read_enable(&mut self, mut action: Cursor<'_>) {
        action.bump();
        action.eat_any(&["REPLICA", "ALWAYS"]);
        let trigger = action.is_any(&["TRIGGER"]);
        self.lock(if trigger { LockMode::ShareRowExclusive } else { LockMode::AccessExclusive });
    }

    fn read_set(&mut self, action: Cursor<'_>) {
        if is_option_list(action) || action.is(&["SET", "WITHOUT", "CLUSTER"]) {
            return self.lock(LockMode::ShareUpdateExclusive);
        }
        self.lock(LockMode::AccessExclusive);
        if action.is(&["SET", "LOGGED"]) || action.is(&["SET", "UNLOGGED"]) {
            self.facts.rewrite("SET LOGGED and SET UNLOGGED write the table anew");
        } else if action.is(&["SET", "ACCESS", "METHOD"]) {
            self.facts.rewrite("the table is written anew with the other access method");
        } else if action.is(&["SET", "TABLESPACE"]) {
            self.facts.rewrite("the table's files are copied to the other tablespace");
        } else if action.is(&["SET", "SCHEMA"]) {
            self.facts.once_only("the old name is gone");
        }
    }
}

/// `SET (…)` or `RESET (…)`: storage parameters.
fn is_option_list(mut action: Cursor<'_>) -> bool {
    action.bump();
    action.is_symbol(b'(')
}

fn is_serial(mut column: Cursor<'_>) -> bool {
    column.ident();
    column.is_any(&["SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL2", "SERIAL4", "SERIAL8"])
}

/// Functions that are volatile in PostgreSQL or in its usual extensions.
pub(crate) fn calls_volatile(expression: Cursor<'_>) -> bool {
    [
        "RANDOM",
        "GEN_RANDOM_UUID",
        "UUIDV4",
        "UUIDV7",
        "CLOCK_TIMESTAMP",
        "TIMEOFDAY",
        "NEXTVAL",
        "UUID_GENERATE_V1",
        "UUID_GENERATE_V4",
        "GEN_RANDOM_BYTES",
        "GEN_SALT",
    ]
    .iter()
    .any(|name| expression.has_deep(name))
}

/// A call of anything else than the common functions that are not volatile.
pub(crate) fn calls_unknown(mut expression: Cursor<'_>) -> bool {
    const STABLE: &[&str] = &[
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_setting",
        "lower",
        "upper",
        "coalesce",
        "concat",
        "jsonb_build_object",
        "json_build_object",
        "jsonb_build_array",
        "to_timestamp",
        "to_date",
        "to_char",
        "date_trunc",
        "timezone",
        "md5",
        "cast",
        "numeric",
        "decimal",
        "varchar",
        "char",
        "character",
        "varying",
        "timestamp",
        "timestamptz",
        "time",
        "bit",
        "interval",
        "current_timestamp",
        "localtimestamp",
        "check",
        "references",
    ];
    while !expression.at_end() && !expression.is_any(&["CONSTRAINT", "CHECK", "REFERENCES"]) {
        match expression.qualified() {
            Some(name) if expression.is_symbol(b'(') => {
                let known = STABLE.contains(&name.name.as_str());
                if !known {
                    return true;
                }
                expression.skip();
            }
            Some(_) => {}
            None => expression.bump(),
        }
    }
    false
}
