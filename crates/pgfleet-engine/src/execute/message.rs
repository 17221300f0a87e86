//! One exchange with the server: a transaction's statements and everything that commits with
//! them, as one simple-query message, and the way back from the server's words to a statement.
//!
//! Invariant: a message whose predecessor did not commit does nothing. Its first statement is
//! `BEGIN`, which fails in an aborted transaction, and its second compares a session variable
//! that only the predecessor's commit sets. So messages may be sent before earlier ones have been
//! answered. Only `SET TRANSACTION`, which must come before any query, comes before the guard.

use std::ops::Range;

use pgfleet_core::plan::PlannedStatement;
use pgfleet_sql::char_to_byte;

use crate::journal::literal;

/// The session variable that says which message committed last.
const MARKER: &str = "pgfleet.committed";

/// A transaction to send.
#[derive(Debug, Clone)]
pub struct Message {
    /// The text.
    pub sql: String,
    /// Where each statement of the migration stands in it.
    parts: Vec<Range<usize>>,
    /// Statements of the migration that come before the guard.
    before_guard: usize,
}

/// What a message is built from.
pub struct Transaction<'a> {
    /// The statements of the migration.
    pub statements: &'a [PlannedStatement],
    /// Rows that commit with them.
    pub records: &'a [String],
    /// The marker that the predecessor left.
    pub after: &'a str,
    /// The marker that this one leaves.
    pub marker: &'a str,
    /// What is run between the two, so that the rows are written whatever the statements did to the
    /// session; may be empty.
    pub settings: &'a str,
    /// SQL that is true as long as the session has its lock, where it could lose it.
    pub held: Option<String>,
    /// Wait for the disk at commit.
    pub durable: bool,
    /// A part of a transaction that is open already, as a savepoint.
    pub enclosed: bool,
}

/// Sets the marker at the beginning of a session.
pub fn set_marker(marker: &str) -> String {
    format!("SET {MARKER} = {}", literal(marker))
}

/// Builds the message of one transaction.
pub fn build(transaction: &Transaction<'_>) -> Message {
    let mut writer = Writer::default();
    writer.command(if transaction.enclosed { "SAVEPOINT pgfleet" } else { "BEGIN" });
    let before_guard = before_guard(transaction.statements);
    let (first, rest) = transaction.statements.split_at(before_guard);
    let mut parts: Vec<_> = first.iter().map(|first| writer.statement(&first.sql)).collect();
    writer.command(&guard(transaction.after, transaction.held.as_deref()));
    parts.extend(rest.iter().map(|statement| writer.statement(&statement.sql)));
    writer.raw(transaction.settings);
    for record in transaction.records {
        writer.command(record);
    }
    if transaction.durable {
        writer.command("SET LOCAL synchronous_commit TO DEFAULT");
    }
    writer.command(&set_marker(transaction.marker));
    writer.command(if transaction.enclosed { "RELEASE SAVEPOINT pgfleet" } else { "COMMIT" });
    Message { sql: writer.sql, parts, before_guard }
}

/// How many statements lead up to the last `SET TRANSACTION` with which the migration begins.
fn before_guard(statements: &[PlannedStatement]) -> usize {
    let leading = statements.iter().take_while(|statement| statement.label == "SET");
    let sets = leading.map(|statement| sets_transaction(&statement.sql)).collect::<Vec<_>>();
    sets.iter().rposition(|sets| *sets).map_or(0, |last| last + 1)
}

fn sets_transaction(sql: &str) -> bool {
    sql.split_whitespace().nth(1).is_some_and(|word| word.eq_ignore_ascii_case("transaction"))
}

/// Fails with a message of ours unless the predecessor committed. The cast is made when it is run
/// and not when it is planned, because its argument is not constant.
fn guard(after: &str, held: Option<&str>) -> String {
    let after = literal(after);
    let lost = held.map_or_else(String::new, |held| {
        format!("WHEN NOT ({held}) THEN 'pgfleet: a migration let go of the lock of pgfleet' ")
    });
    format!(
        "SELECT CAST(CASE WHEN pg_catalog.current_setting('{MARKER}', true) IS DISTINCT FROM {after} \
         THEN 'pgfleet: the step before was not committed' {lost}ELSE '1' END AS integer)"
    )
}

impl Message {
    /// The statement that failed: told by the error's position in the message, else by how many
    /// commands were completed before it. None when it was none of the migration's.
    pub fn failed_statement(&self, position: Option<u32>, completed: usize) -> Option<usize> {
        if let Some(byte) = self.byte_of(position) {
            return self.parts.iter().position(|part| part.contains(&byte) || part.end == byte);
        }
        // BEGIN comes first, and the guard somewhere behind it.
        let index = match completed.checked_sub(1)? {
            at if at < self.before_guard => at,
            at if at == self.before_guard => return None,
            at => at - 1,
        };
        (index < self.parts.len()).then_some(index)
    }

    /// The position of an error within its statement, in characters from 1.
    pub fn position_in_statement(&self, position: Option<u32>, statement: usize) -> Option<usize> {
        let byte = self.byte_of(position)?;
        let part = self.parts.get(statement)?;
        let before = self.sql.get(part.start..byte)?;
        Some(before.chars().count() + 1)
    }

    fn byte_of(&self, position: Option<u32>) -> Option<usize> {
        Some(char_to_byte(&self.sql, position? as usize))
    }
}

#[derive(Default)]
struct Writer {
    sql: String,
}

impl Writer {
    fn command(&mut self, sql: &str) {
        self.sql.push_str(sql);
        self.sql.push_str(";\n");
    }

    fn raw(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// A file's last statement may lack its semicolon, or end in a line comment.
    fn statement(&mut self, sql: &str) -> Range<usize> {
        let start = self.sql.len();
        self.sql.push_str(sql);
        let end = self.sql.len();
        self.sql.push_str(if sql.ends_with(';') { "\n" } else { "\n;\n" });
        start..end
    }
}

#[cfg(test)]
mod tests {
    use pgfleet_core::place::Place;

    use super::*;

    fn statement(sql: &str) -> PlannedStatement {
        PlannedStatement {
            sql: sql.to_owned(),
            label: sql.split(' ').next().unwrap_or_default().to_owned(),
            place: Place::at("a.sql", 1, 1),
            verbatim: true,
            copy_data: None,
            if_not_exists: None,
            sets_session: false,
        }
    }

    fn message(statements: &[PlannedStatement]) -> Message {
        build(&Transaction {
            statements,
            records: &["INSERT INTO h VALUES (1)".to_owned()],
            after: "start",
            marker: "1",
            settings: "",
            held: None,
            durable: false,
            enclosed: false,
        })
    }

    #[test]
    fn errors_lead_back_to_their_statement() {
        let message = message(&[statement("SELECT 'é';"), statement("SELECT x")]);
        let at = message.sql.find('x').map(|byte| message.sql[..byte].chars().count() as u32 + 1);
        assert_eq!(message.failed_statement(at, 0), Some(1));
        assert_eq!(message.position_in_statement(at, 1), Some(8));
        assert_eq!(message.failed_statement(None, 3), Some(1));
        assert_eq!(message.failed_statement(None, 4), None, "the history row is not the file's");
        assert_eq!(message.failed_statement(None, 0), None, "BEGIN is not the file's");
    }

    #[test]
    fn the_transaction_s_own_settings_come_before_the_guard() {
        let set = "SET TRANSACTION READ WRITE;";
        let message = message(&[statement(set), statement("SELECT 1;"), statement("SELECT 2;")]);
        assert!(message.sql.starts_with(&format!("BEGIN;\n{set}\nSELECT CAST")), "{}", message.sql);
        let failed: Vec<_> = (0..6).map(|done| message.failed_statement(None, done)).collect();
        assert_eq!(failed, [None, Some(0), None, Some(1), Some(2), None]);
    }

    #[test]
    fn a_line_comment_at_the_end_does_not_swallow_the_commit() {
        let message = message(&[statement("SELECT 1 -- last")]);
        assert!(message.sql.contains("-- last\n;\nINSERT"), "{}", message.sql);
    }
}
