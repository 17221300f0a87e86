//! `isolation`: tries, as the application's ordinary role in one tenant, to reach the rows of
//! another.
//!
//! Invariant: everything happens in transactions that are rolled back.

mod rows;
mod through;

use pgfleet_core::tenancy::{Attempt, Operation, Verdict};
use pgfleet_core::verify::{Isolation, ProbeOutcome, TableName};
use pgfleet_sql::{QualifiedName, quote_ident};

use crate::connect::{Session, SessionError};
use crate::journal::literal;
use rows::Pair;

/// What is tried.
#[derive(Debug, Clone)]
pub struct Border {
    /// The tenant tables.
    pub tables: Vec<QualifiedName>,
    /// The tenant column.
    pub column: String,
    /// The application's ordinary role.
    pub role: String,
    /// The setting that says whose rows a session may see.
    pub setting: Option<String>,
}

/// What a check of kind `isolation` finds.
pub async fn outcome(session: &Session, check: &Isolation) -> ProbeOutcome {
    let name = |table: &TableName| QualifiedName::new(table.schema(), &table.name);
    let border = Border {
        tables: check.tables.iter().map(name).collect(),
        column: check.column.clone(),
        role: check.role.clone(),
        setting: check.setting.clone(),
    };
    let attempts = match try_border(session, &border).await {
        Ok(attempts) => attempts,
        Err(error) => {
            let why = error.to_string();
            return ProbeOutcome { found: why.clone(), deviations: vec![why] };
        }
    };
    // A function that takes arguments is for people to read.
    let is_open = |attempt: &&Attempt| match attempt.verdict {
        Verdict::Reached { .. } => true,
        Verdict::NotTried { .. } => attempt.operation != Operation::Function,
        Verdict::Isolated { .. } => false,
    };
    let open: Vec<_> = attempts.iter().filter(is_open).map(described).collect();
    let found = format!("{} of {} attempts isolated", attempts.len() - open.len(), attempts.len());
    ProbeOutcome { found, deviations: open }
}

fn described(attempt: &Attempt) -> String {
    let through = attempt.through.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{} {}{through}: {}", attempt.table, attempt.operation.name(), attempt.says())
}

/// Tries the border of every table.
///
/// # Errors
/// When the connection is lost.
pub async fn try_border(session: &Session, border: &Border) -> Result<Vec<Attempt>, SessionError> {
    let mut attempts = Vec::new();
    for table in &border.tables {
        session.batch("BEGIN; SET LOCAL lock_timeout = '2s'; SET LOCAL row_security = off").await?;
        let tried = try_table(session, border, table).await;
        if session.is_closed() {
            return tried;
        }
        session.batch("ROLLBACK").await?;
        attempts.extend(tried.unwrap_or_else(|error| vec![not_tried(table, error.to_string())]));
    }
    Ok(attempts)
}

fn not_tried(table: &QualifiedName, why: String) -> Attempt {
    let (table, verdict) = (table.to_string(), Verdict::NotTried { why });
    Attempt { table, operation: Operation::Select, through: None, verdict }
}

async fn try_table(
    session: &Session,
    border: &Border,
    table: &QualifiedName,
) -> Result<Vec<Attempt>, SessionError> {
    let pair = match rows::pair(session, table, &border.column).await? {
        Ok(pair) => pair,
        Err(why) => return Ok(vec![not_tried(table, why)]),
    };
    let trial = Trial { session, border, table: table.to_string(), pair };
    if let Some(why) = trial.sees_nothing_at_all().await? {
        return Ok(vec![not_tried(table, why)]);
    }
    let mut attempts = Vec::new();
    for operation in [
        Operation::Select,
        Operation::Insert,
        Operation::Update,
        Operation::Move,
        Operation::Delete,
    ] {
        let verdict = trial.operation(operation).await?;
        let (table, through) = (trial.table.clone(), None);
        attempts.push(Attempt { table, operation, through, verdict });
    }
    attempts.extend(through::views(&trial).await?);
    attempts.extend(through::functions(&trial).await?);
    Ok(attempts)
}

/// One table with a row of either tenant.
struct Trial<'a> {
    session: &'a Session,
    border: &'a Border,
    table: String,
    pair: Pair,
}

impl Trial<'_> {
    fn column(&self) -> String {
        quote_ident(&self.border.column)
    }

    /// `column = 'tenant'` of the other side.
    fn theirs(&self) -> String {
        format!("{} = {}", self.column(), literal(&self.pair.theirs))
    }

    fn ours(&self) -> String {
        format!("{} = {}", self.column(), literal(&self.pair.ours))
    }

    /// A role that does not even see its own rows proves nothing. One that may not read the table
    /// is well isolated.
    async fn sees_nothing_at_all(&self) -> Result<Option<String>, SessionError> {
        let sql = format!("SELECT 1 FROM {} WHERE {} LIMIT 1", self.table, self.ours());
        match self.as_role("", &sql).await? {
            Ok(0) => {
                let (role, ours) = (&self.border.role, &self.pair.ours);
                let how = match &self.border.setting {
                    Some(setting) => format!(" with {setting} = {ours}"),
                    None => ", and no setting is declared".to_owned(),
                };
                Ok(Some(format!("{role} does not see rows of its own tenant {ours}{how}")))
            }
            Ok(_) => Ok(None),
            Err((state, _)) if state == "42501" => Ok(None),
            Err((_, message)) => Ok(Some(message)),
        }
    }

    async fn operation(&self, operation: Operation) -> Result<Verdict, SessionError> {
        let (table, column) = (&self.table, self.column());
        // One row proves it, and nobody waits for all of them.
        let one_row = |condition: &str| {
            format!(
                "(ctid, tableoid) IN (SELECT ctid, tableoid FROM {table} WHERE {condition} LIMIT 1)"
            )
        };
        let (theirs, ours) = (self.theirs(), self.ours());
        let (prepare, sql) = match operation {
            Operation::Insert => {
                let (columns, row) = (&self.pair.columns, literal(&self.pair.their_row));
                let remove = format!("DELETE FROM {table} WHERE {};", self.pair.is_their_row);
                let values = format!(
                    "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE \
                     SELECT {columns} FROM pg_catalog.jsonb_populate_record(NULL::{table}, {row})"
                );
                (remove, values)
            }
            Operation::Update => (
                String::new(),
                format!("UPDATE {table} SET {column} = {column} WHERE {}", one_row(&theirs)),
            ),
            Operation::Move => (
                String::new(),
                format!(
                    "UPDATE {table} SET {column} = {} WHERE {}",
                    literal(&self.pair.theirs),
                    one_row(&ours)
                ),
            ),
            Operation::Delete => {
                (String::new(), format!("DELETE FROM {table} WHERE {}", one_row(&theirs)))
            }
            _ => (String::new(), format!("SELECT 1 FROM {table} WHERE {theirs} LIMIT 1000")),
        };
        Ok(verdict(self.as_role(&prepare, &sql).await?))
    }

    /// Runs a statement as the application's role in our tenant, and takes it back. `prepare` is run
    /// before, with the rights of the session and no triggers where it may do without.
    async fn as_role(
        &self,
        prepare: &str,
        sql: &str,
    ) -> Result<Result<u64, (String, String)>, SessionError> {
        let setting = match &self.border.setting {
            Some(setting) => format!(
                "SELECT pg_catalog.set_config({}, {}, true);",
                literal(setting),
                literal(&self.pair.ours)
            ),
            None => String::new(),
        };
        let prepared = match prepare {
            "" => String::new(),
            _ => format!("{}{prepare}{}", self.pair.without_triggers, self.pair.with_triggers),
        };
        let text = format!(
            "SAVEPOINT attempt; {prepared}SET LOCAL row_security = on; SET LOCAL ROLE {}; {setting}{sql}",
            quote_ident(&self.border.role)
        );
        let outcome = self.session.run_batch(&text).await;
        if let Some(error) = &outcome.error
            && error.is_lost()
        {
            return Err(error.clone());
        }
        self.session.batch("ROLLBACK TO attempt; RELEASE attempt").await?;
        let refusal = outcome.error.and_then(|error| {
            error.server().map(|server| (server.sqlstate.clone(), server.message.clone()))
        });
        Ok(match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(outcome.rows_affected.last().copied().unwrap_or(0)),
        })
    }
}

/// A constraint (class 23) that stops a statement saw the row: the border did not.
fn verdict(outcome: Result<u64, (String, String)>) -> Verdict {
    match outcome {
        Ok(0) => Verdict::Isolated { refused: None },
        Ok(rows) => Verdict::Reached { rows: Some(rows) },
        Err((state, message)) if state == "42501" => Verdict::Isolated { refused: Some(message) },
        Err((state, _)) if state.starts_with("23") => Verdict::Reached { rows: None },
        Err((_, message)) => Verdict::NotTried { why: message },
    }
}
