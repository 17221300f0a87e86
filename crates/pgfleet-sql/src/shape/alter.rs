//! `ALTER TABLE`, action by action.

use std::ops::Range;

use super::column::{self, ColumnShape};
use super::constraint::{self, ConstraintShape};
use crate::classify::create_table::is_constraint;
use crate::cursor::Cursor;
use crate::name::QualifiedName;

/// An `ALTER TABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterShape {
    /// The table.
    pub table: QualifiedName,
    /// In the order in which they are written.
    pub actions: Vec<Action>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What it does.
    pub kind: ActionKind,
    /// The whole action.
    pub range: Range<usize>,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionKind {
    /// `ADD COLUMN`.
    AddColumn {
        /// The column.
        column: Box<ColumnShape>,
        /// It may be there already.
        if_not_exists: bool,
    },
    /// `ADD CONSTRAINT`, named or not.
    AddConstraint(Box<ConstraintShape>),
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        column: String,
        /// It may be gone already.
        if_exists: bool,
    },
    /// `DROP CONSTRAINT`.
    DropConstraint {
        /// The constraint.
        name: String,
        /// It may be gone already.
        if_exists: bool,
    },
    /// `VALIDATE CONSTRAINT`.
    Validate(String),
    /// `ALTER COLUMN … TYPE`.
    SetType {
        /// The column.
        column: String,
        /// The new type as written.
        type_text: String,
        /// Rows are converted by an expression.
        using: bool,
        /// The sort order is another one.
        collate: bool,
    },
    /// `ALTER COLUMN … SET NOT NULL`.
    SetNotNull(String),
    /// `ALTER COLUMN … DROP NOT NULL`.
    DropNotNull(String),
    /// `ALTER COLUMN … SET DEFAULT`.
    SetDefault(String),
    /// `ALTER COLUMN … SET EXPRESSION`.
    SetExpression(String),
    /// `ENABLE ROW LEVEL SECURITY`.
    EnableRowSecurity,
    /// `DISABLE ROW LEVEL SECURITY`.
    DisableRowSecurity,
    /// `DISABLE TRIGGER`, of one, of the users' or of all.
    DisableTrigger(String),
    /// `ENABLE TRIGGER`.
    EnableTrigger(String),
    /// `SET UNLOGGED`.
    SetUnlogged,
    /// `SET LOGGED`, `SET ACCESS METHOD`, `SET TABLESPACE`: all of it is written anew.
    Rewrite,
    /// `ATTACH PARTITION`.
    Attach(QualifiedName),
    /// `DETACH PARTITION`.
    Detach {
        /// The partition.
        partition: QualifiedName,
        /// Queries on the other partitions go on.
        concurrently: bool,
    },
    /// `REPLICA IDENTITY`.
    ReplicaIdentity,
    /// `RENAME COLUMN`.
    RenameColumn {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// `RENAME TO`.
    RenameTable(String),
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// The old name.
        from: String,
        /// The new name.
        to: String,
    },
    /// `SET SCHEMA`.
    SetSchema(String),
    /// Anything else.
    Other,
}

pub(super) fn read(mut cursor: Cursor<'_>) -> Option<AlterShape> {
    cursor.eat(&["IF", "EXISTS"]);
    cursor.eat(&["ONLY"]);
    let table = cursor.qualified()?;
    if cursor.text() == "*" {
        cursor.bump();
    }
    let actions = cursor.items().into_iter().map(|item| item.without_semicolon());
    let actions = actions.map(|item| Action { kind: kind(item), range: item.range() }).collect();
    Some(AlterShape { table, actions })
}

fn kind(mut action: Cursor<'_>) -> ActionKind {
    if action.eat(&["ADD"]) {
        return added(action).unwrap_or(ActionKind::Other);
    }
    if action.eat(&["DROP"]) {
        return dropped(action).unwrap_or(ActionKind::Other);
    }
    if action.eat(&["ALTER"]) && !action.is(&["CONSTRAINT"]) {
        return column_changed(action).unwrap_or(ActionKind::Other);
    }
    if action.eat(&["VALIDATE", "CONSTRAINT"]) {
        return action.ident().map_or(ActionKind::Other, ActionKind::Validate);
    }
    if action.eat(&["RENAME"]) {
        return renamed(action).unwrap_or(ActionKind::Other);
    }
    other(action).unwrap_or(ActionKind::Other)
}

fn added(mut action: Cursor<'_>) -> Option<ActionKind> {
    if is_constraint(action) {
        return constraint::read(action).map(|one| ActionKind::AddConstraint(Box::new(one)));
    }
    action.eat(&["COLUMN"]);
    let if_not_exists = action.eat(&["IF", "NOT", "EXISTS"]);
    let column = Box::new(column::read(action)?);
    Some(ActionKind::AddColumn { column, if_not_exists })
}

fn dropped(mut action: Cursor<'_>) -> Option<ActionKind> {
    let constraint = action.eat(&["CONSTRAINT"]);
    if !constraint {
        action.eat(&["COLUMN"]);
    }
    let if_exists = action.eat(&["IF", "EXISTS"]);
    let name = action.ident()?;
    Some(match constraint {
        true => ActionKind::DropConstraint { name, if_exists },
        false => ActionKind::DropColumn { column: name, if_exists },
    })
}

fn column_changed(mut action: Cursor<'_>) -> Option<ActionKind> {
    action.eat(&["COLUMN"]);
    let column = action.ident()?;
    if action.eat(&["SET", "NOT", "NULL"]) {
        return Some(ActionKind::SetNotNull(column));
    }
    if action.eat(&["DROP", "NOT", "NULL"]) {
        return Some(ActionKind::DropNotNull(column));
    }
    if action.is(&["SET", "DEFAULT"]) {
        return Some(ActionKind::SetDefault(column));
    }
    if action.is(&["SET", "EXPRESSION"]) {
        return Some(ActionKind::SetExpression(column));
    }
    if action.eat(&["SET", "DATA", "TYPE"]) || action.eat(&["TYPE"]) {
        let start = action;
        while !action.at_end() && !action.is_any(&["USING", "COLLATE", "CASCADE", "RESTRICT"]) {
            action.skip();
        }
        let type_text = start.text_until(&action);
        let (using, collate) = (action.has(&["USING"]), action.is(&["COLLATE"]));
        return Some(ActionKind::SetType { column, type_text, using, collate });
    }
    None
}

fn renamed(mut action: Cursor<'_>) -> Option<ActionKind> {
    if action.eat(&["TO"]) {
        return action.ident().map(ActionKind::RenameTable);
    }
    let constraint = action.eat(&["CONSTRAINT"]);
    action.eat(&["COLUMN"]);
    let from = action.ident()?;
    let to = action.eat(&["TO"]).then(|| action.ident()).flatten()?;
    Some(match constraint {
        true => ActionKind::RenameConstraint { from, to },
        false => ActionKind::RenameColumn { from, to },
    })
}

fn other(mut action: Cursor<'_>) -> Option<ActionKind> {
    if action.eat(&["ENABLE", "ROW"]) {
        return Some(ActionKind::EnableRowSecurity);
    }
    if action.eat(&["DISABLE", "ROW"]) {
        return Some(ActionKind::DisableRowSecurity);
    }
    if action.eat(&["DISABLE", "TRIGGER"]) {
        return action.ident().map(ActionKind::DisableTrigger);
    }
    if action.eat(&["ENABLE"]) {
        action.eat_any(&["ALWAYS", "REPLICA"]);
        action.eat(&["TRIGGER"]).then_some(())?;
        return action.ident().map(ActionKind::EnableTrigger);
    }
    if action.eat(&["ATTACH", "PARTITION"]) {
        return action.qualified().map(ActionKind::Attach);
    }
    if action.eat(&["DETACH", "PARTITION"]) {
        let partition = action.qualified()?;
        let concurrently = action.is_any(&["CONCURRENTLY", "FINALIZE"]);
        return Some(ActionKind::Detach { partition, concurrently });
    }
    if action.is(&["REPLICA", "IDENTITY"]) {
        return Some(ActionKind::ReplicaIdentity);
    }
    if action.eat(&["SET", "SCHEMA"]) {
        return action.ident().map(ActionKind::SetSchema);
    }
    if action.is(&["SET", "UNLOGGED"]) {
        return Some(ActionKind::SetUnlogged);
    }
    let rewrites = ["LOGGED", "ACCESS", "TABLESPACE"].iter().any(|word| action.is(&["SET", word]));
    rewrites.then_some(ActionKind::Rewrite)
}
