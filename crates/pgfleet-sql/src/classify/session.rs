//! Transactions, settings, privileges and code.
//!
//! Invariant: this is the last resort: what is not recognised here stays as it is.

use super::{Facts, Kind, Transaction, relations};
use crate::cursor::Cursor;

pub(super) fn read(cursor: Cursor<'_>, facts: &mut Facts) {
    match cursor.word().to_ascii_uppercase().as_str() {
        "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT" | "SAVEPOINT" | "RELEASE" => {
            read_transaction(cursor, facts);
        }
        "PREPARE" => read_prepare(cursor, facts),
        "SET" => read_set(cursor, facts),
        "RESET" => read_reset(cursor, facts),
        "GRANT" | "REVOKE" => facts.name(Kind::Privilege, cursor.word().to_ascii_uppercase()),
        "REASSIGN" => facts.name(Kind::Privilege, "REASSIGN OWNED"),
        "DO" | "CALL" | "EXECUTE" => {
            facts.name(Kind::Procedural, cursor.word().to_ascii_uppercase());
            facts.opaque = true;
        }
        "IMPORT" => {
            facts.name(Kind::Create, "IMPORT FOREIGN SCHEMA");
            facts.once_only("the foreign tables exist already");
        }
        "DISCARD" => {
            facts.name(Kind::Session, "DISCARD");
            facts.sets_session = true;
            if cursor.has(&["ALL"]) {
                facts.transaction = Transaction::Never;
            }
        }
        "SHOW" => facts.name(Kind::Read, "SHOW"),
        "DECLARE" => {
            facts.name(Kind::Read, "DECLARE CURSOR");
            if let Some(query) = cursor.find(&["FOR"]) {
                relations::read(query, facts);
            }
        }
        "FETCH" | "MOVE" => facts.name(Kind::Read, cursor.word().to_ascii_uppercase()),
        "CLOSE" => facts.name(Kind::Session, "CLOSE CURSOR"),
        "DEALLOCATE" | "LISTEN" | "UNLISTEN" | "LOAD" => {
            facts.name(Kind::Session, cursor.word().to_ascii_uppercase());
            facts.sets_session = true;
        }
        "NOTIFY" => facts.name(Kind::Other, "NOTIFY"),
        _ => {}
    }
}

fn read_transaction(mut cursor: Cursor<'_>, facts: &mut Facts) {
    let (label, transaction) = if cursor.eat(&["BEGIN"]) {
        ("BEGIN", Transaction::Begin)
    } else if cursor.eat(&["START"]) {
        ("START TRANSACTION", Transaction::Begin)
    } else if cursor.eat(&["COMMIT", "PREPARED"]) {
        ("COMMIT PREPARED", Transaction::Never)
    } else if cursor.eat(&["ROLLBACK", "PREPARED"]) {
        ("ROLLBACK PREPARED", Transaction::Never)
    } else if cursor.eat_any(&["COMMIT", "END"]) {
        ("COMMIT", Transaction::Commit)
    } else if cursor.eat(&["SAVEPOINT"]) {
        ("SAVEPOINT", Transaction::Savepoint)
    } else if cursor.eat(&["RELEASE"]) {
        ("RELEASE", Transaction::Savepoint)
    } else if cursor.has(&["TO"]) {
        ("ROLLBACK TO SAVEPOINT", Transaction::Savepoint)
    } else {
        ("ROLLBACK", Transaction::Rollback)
    };
    facts.name(Kind::Transaction, label);
    facts.transaction = transaction;
}

fn read_prepare(cursor: Cursor<'_>, facts: &mut Facts) {
    if cursor.is(&["PREPARE", "TRANSACTION"]) {
        facts.name(Kind::Transaction, "PREPARE TRANSACTION");
        facts.transaction = Transaction::PrepareTransaction;
    } else {
        facts.name(Kind::Session, "PREPARE");
        facts.sets_session = true;
        facts.once_only("the prepared statement exists already");
    }
}

fn read_set(mut cursor: Cursor<'_>, facts: &mut Facts) {
    cursor.bump();
    if cursor.is_any(&["CONSTRAINTS"]) {
        return facts.name(Kind::Session, "SET CONSTRAINTS");
    }
    facts.name(Kind::Session, "SET");
    if cursor.is(&["TRANSACTION"]) {
        return;
    }
    let local = cursor.eat(&["LOCAL"]);
    // SESSION is a scope too, but not in SESSION AUTHORIZATION and SESSION CHARACTERISTICS.
    if !local && !cursor.is(&["SESSION", "AUTHORIZATION"]) {
        cursor.eat(&["SESSION"]);
    }
    facts.sets_session = !local;
    facts.sets_search_path = cursor.is_any(&["SEARCH_PATH", "SCHEMA"]) || names_search_path(cursor);
}

fn read_reset(mut cursor: Cursor<'_>, facts: &mut Facts) {
    cursor.bump();
    facts.name(Kind::Session, "RESET");
    facts.sets_session = true;
    facts.sets_search_path = cursor.is(&["ALL"]) || names_search_path(cursor);
}

fn names_search_path(mut cursor: Cursor<'_>) -> bool {
    cursor.ident().is_some_and(|name| name.eq_ignore_ascii_case("search_path"))
}
