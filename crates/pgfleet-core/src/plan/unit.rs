//! Units: what of a migration is committed together.
//!
//! A migration is one transaction where PostgreSQL allows it. Where it does not, or where the file
//! says otherwise, every statement is a unit of its own, as psql would run it, and each is
//! journaled; a file's own `BEGIN … COMMIT` stays one unit.

use std::borrow::Cow;

use pgfleet_sql::{Facts, Kind, ObjectKind, ObjectRef, Transaction, parse_qualified};
use serde::{Deserialize, Serialize};

use super::PlannedStatement;
use crate::batches::Batches;
use crate::diagnose::{Code, Problem};
use crate::folder::TransactionMode;
use crate::program::Statement;

/// What is committed together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case")]
pub enum Unit {
    /// One transaction; its journal row commits with it.
    Transaction {
        /// In execution order.
        statements: Vec<PlannedStatement>,
    },
    /// A statement that no transaction can hold: intent is journaled before, outcome after.
    Alone {
        /// The statement.
        statement: Box<PlannedStatement>,
        /// How to tell, after a crash, whether it happened.
        settle: Settle,
    },
    /// A statement in many transactions, each for a range of a key; the journal's row with the last
    /// key commits with each.
    Batched {
        /// The statement, whole.
        statement: Box<PlannedStatement>,
        /// How it is cut.
        batches: Batches,
    },
    /// The next unit is run only when this query gives true.
    Condition {
        /// The query.
        query: Box<PlannedStatement>,
    },
    /// A setting for the rest of the file: run again when the rest is resumed.
    Session {
        /// The statement.
        statement: Box<PlannedStatement>,
    },
}

/// How the catalog tells whether a statement outside a transaction happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "settle", rename_all = "snake_case")]
pub enum Settle {
    /// Running it again does no harm.
    Repeat,
    /// Done when the index is there and valid; an invalid one is dropped first.
    IndexValid {
        /// The index, quoted; in the table's schema.
        index: String,
        /// The table, quoted.
        table: String,
    },
    /// Done when the table has a valid index that is younger than the intent; an invalid one of
    /// that age is dropped first. For indexes whose name PostgreSQL chooses.
    IndexMade {
        /// The table, quoted.
        table: String,
    },
    /// Running it again does no harm; what it left half-made (`…_ccnew`, `…_ccold`) is dropped
    /// first.
    Reindex,
    /// Done when the index is gone.
    IndexGone {
        /// The index, quoted.
        index: String,
    },
    /// Done when the database is there.
    DatabaseThere {
        /// The database's name, not quoted.
        database: String,
    },
    /// Done when the database is gone.
    DatabaseGone {
        /// The database's name, not quoted.
        database: String,
    },
    /// Done when the table is no partition of the other; one whose detaching began is finished.
    PartitionDetached {
        /// The partitioned table, quoted.
        parent: String,
        /// The partition, quoted.
        partition: String,
    },
    /// Done when the object is there.
    ObjectThere {
        /// What it is.
        kind: SharedKind,
        /// Its name, not quoted.
        name: String,
    },
    /// Done when the object is gone.
    ObjectGone {
        /// What it is.
        kind: SharedKind,
        /// Its name, not quoted.
        name: String,
    },
    /// Done when the subscription has the publication, or no longer has it.
    SubscriptionHas {
        /// The subscription's name, not quoted.
        subscription: String,
        /// The publication's name, not quoted.
        publication: String,
        /// Added, not dropped.
        has: bool,
    },
    /// The catalog cannot tell; a person must.
    Ask,
}

/// Objects that are made and dropped outside transactions, besides databases and indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharedKind {
    /// A subscription of this database.
    Subscription,
    /// A tablespace.
    Tablespace,
}

impl Unit {
    /// The statements in it.
    pub fn statements(&self) -> &[PlannedStatement] {
        match self {
            Self::Transaction { statements } => statements,
            Self::Condition { .. } => &[],
            Self::Alone { statement, .. }
            | Self::Batched { statement, .. }
            | Self::Session { statement } => std::slice::from_ref(statement.as_ref()),
        }
    }

    /// The hash by which a resumed run recognises the unit.
    pub fn hash(&self) -> String {
        if let Self::Condition { query } = self {
            return super::hash_text(&query.sql);
        }
        let parts = self.statements().iter().map(|statement| match &statement.copy_data {
            Some(rows) => Cow::Owned(format!("{}\u{0}{}", statement.sql, rows.hash())),
            None => Cow::Borrowed(statement.sql.as_str()),
        });
        super::hash_text(&parts.collect::<Vec<_>>().join("\u{0}"))
    }
}

/// Groups the statements of a migration into units.
///
/// # Errors
/// When the file's own transaction control makes no sense: a transaction left open, a prepared
/// transaction.
pub fn units_of(statements: Vec<Statement>, mode: TransactionMode) -> Result<Vec<Unit>, Problem> {
    let statements = strip_outer_transaction(statements);
    let controlled = statements.iter().any(|s| controls_transaction(&s.facts));
    let impossible = statements.iter().any(|s| s.facts.transaction == Transaction::Never);
    let batched = statements.iter().any(|s| s.batches.is_some() || s.only_if.is_some());
    if mode == TransactionMode::Auto && !controlled && !impossible && !batched {
        let statements: Vec<_> = statements.into_iter().map(planned).collect();
        return Ok(vec![Unit::Transaction { statements }]);
    }
    separate_units(statements)
}

fn controls_transaction(facts: &Facts) -> bool {
    matches!(
        facts.transaction,
        Transaction::Begin
            | Transaction::Commit
            | Transaction::Rollback
            | Transaction::PrepareTransaction
    )
}

/// A file that is one `BEGIN … COMMIT` means what a file without them means here, and so its
/// history row can commit with it.
fn strip_outer_transaction(mut statements: Vec<Statement>) -> Vec<Statement> {
    let control: Vec<_> =
        statements.iter().map(|s| s.facts.transaction).filter(|t| is_control(*t)).collect();
    let first = statements.first().map(|s| s.facts.transaction);
    let last = statements.last().map(|s| s.facts.transaction);
    let whole = first == Some(Transaction::Begin) && last == Some(Transaction::Commit);
    let plain_begin = statements.first().is_some_and(|s| is_plain_begin(&s.sql));
    let impossible = statements.iter().any(|s| {
        s.facts.transaction == Transaction::Never || s.batches.is_some() || s.only_if.is_some()
    });
    if whole && plain_begin && control.len() == 2 && !impossible {
        statements.pop();
        statements.remove(0);
    }
    statements
}

/// `BEGIN` with no isolation level or access mode of its own.
fn is_plain_begin(sql: &str) -> bool {
    let words: Vec<_> =
        sql.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    words.len() <= 2
}

fn is_control(transaction: Transaction) -> bool {
    !matches!(
        transaction,
        Transaction::Anywhere
            | Transaction::Never
            | Transaction::NeverUseValueUntilCommit
            | Transaction::Savepoint
    )
}

fn separate_units(statements: Vec<Statement>) -> Result<Vec<Unit>, Problem> {
    let mut units = Vec::new();
    let mut open: Option<(Statement, Vec<PlannedStatement>)> = None;
    for statement in statements {
        if open.is_none() {
            units.extend(condition(&statement));
        }
        match (statement.facts.transaction, &mut open) {
            (Transaction::PrepareTransaction, _) => return Err(prepares(&statement)),
            (Transaction::Begin, None) => open = Some((statement, Vec::new())),
            (Transaction::Begin, Some(_)) => {}
            (Transaction::Commit, Some(_)) => close(&mut units, open.take()),
            (Transaction::Rollback, Some(_)) => open = None,
            (Transaction::Commit | Transaction::Rollback, None) => {}
            (Transaction::Never, Some((begin, _))) => return Err(impossible(&statement, begin)),
            (_, Some((begin, _))) if statement.batches.is_some() => {
                return Err(batches_inside(&statement, begin));
            }
            (_, Some((_, inside))) => inside.push(planned(statement)),
            (_, None) => units.push(single(statement)),
        }
    }
    match open {
        Some((begin, _)) => Err(left_open(&begin)),
        None => Ok(units),
    }
}

/// Inside of a transaction of the file's own a condition is that of its `BEGIN`.
fn condition(statement: &Statement) -> Option<Unit> {
    let sql = statement.only_if.clone()?;
    let query = PlannedStatement {
        sql,
        label: "SELECT".to_owned(),
        place: statement.place.clone(),
        verbatim: false,
        copy_data: None,
        if_not_exists: None,
        sets_session: false,
    };
    Some(Unit::Condition { query: Box::new(query) })
}

fn close(units: &mut Vec<Unit>, open: Option<(Statement, Vec<PlannedStatement>)>) {
    let Some((begin, inside)) = open else { return };
    let mut statements = Vec::with_capacity(inside.len() + 1);
    if !is_plain_begin(&begin.sql) {
        statements.extend(transaction_settings(&begin));
    }
    statements.extend(inside);
    units.push(Unit::Transaction { statements });
}

/// `BEGIN ISOLATION LEVEL …` becomes `SET TRANSACTION …`, as the transaction itself is ours.
fn transaction_settings(begin: &Statement) -> Option<PlannedStatement> {
    let body = begin.sql.trim().trim_end_matches(';');
    let mut words = body.split_whitespace().peekable();
    words.next();
    if words
        .peek()
        .is_some_and(|w| w.eq_ignore_ascii_case("transaction") || w.eq_ignore_ascii_case("work"))
    {
        words.next();
    }
    let settings: Vec<_> = words.collect();
    if settings.is_empty() {
        return None;
    }
    let mut statement = planned(begin.clone());
    statement.sql = format!("SET TRANSACTION {};", settings.join(" "));
    statement.label = "SET".to_owned();
    statement.verbatim = false;
    Some(statement)
}

fn single(mut statement: Statement) -> Unit {
    if let Some(batches) = statement.batches.take() {
        return Unit::Batched { statement: Box::new(planned(statement)), batches };
    }
    let facts = &statement.facts;
    if facts.transaction == Transaction::Never || may_commit(&statement) {
        let settle = settle_of(&statement);
        return Unit::Alone { statement: Box::new(planned(statement)), settle };
    }
    if facts.sets_session || sets_by_function(&statement) {
        return Unit::Session { statement: Box::new(planned(statement)) };
    }
    Unit::Transaction { statements: vec![planned(statement)] }
}

/// Procedures and `DO` blocks may commit inside, which the server allows only where no transaction
/// is open. What a procedure does is not known from its call.
fn may_commit(statement: &Statement) -> bool {
    let has_control = || {
        let mut words = statement.sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.any(|w| w.eq_ignore_ascii_case("commit") || w.eq_ignore_ascii_case("rollback"))
    };
    match statement.facts.label.as_str() {
        "CALL" => true,
        "DO" => has_control(),
        _ => false,
    }
}

fn settle_of(statement: &Statement) -> Settle {
    let facts = &statement.facts;
    match facts.kind {
        Kind::Maintenance if facts.label == "REINDEX" => Settle::Reindex,
        Kind::Maintenance => Settle::Repeat,
        Kind::Create => created(facts).unwrap_or(Settle::Ask),
        Kind::Drop => dropped(&facts.drops).unwrap_or(Settle::Ask),
        _ => altered(statement).unwrap_or(Settle::Ask),
    }
}

/// What is altered outside transactions. `ALTER SYSTEM`, `ALTER DATABASE … SET TABLESPACE` and what a
/// subscription is set to may be said twice.
fn altered(statement: &Statement) -> Option<Settle> {
    let facts = &statement.facts;
    match facts.label.as_str() {
        "ALTER SYSTEM" | "ALTER DATABASE" | "DISCARD" => Some(Settle::Repeat),
        "ALTER SUBSCRIPTION" => {
            let name = &facts.alters.first()?.name.name;
            Some(publication_changed(name, &statement.sql).unwrap_or(Settle::Repeat))
        }
        "ALTER TABLE" => {
            let parent = facts.alters.first()?.name.to_string();
            let mut others = facts.uses.iter().map(|used| used.name.to_string());
            let partition = others.find(|name| *name != parent)?;
            Some(Settle::PartitionDetached { parent, partition })
        }
        _ => None,
    }
}

/// `ALTER SUBSCRIPTION … ADD PUBLICATION a, b` and `DROP`: all of them or none, so one tells.
fn publication_changed(subscription: &str, sql: &str) -> Option<Settle> {
    let words: Vec<_> = sql.split_whitespace().collect();
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    let at = words.windows(2).position(|pair| {
        (is(pair[0], "add") || is(pair[0], "drop")) && is(pair[1], "publication")
    })?;
    let first = words.get(at + 2)?.split([',', ';']).next()?;
    Some(Settle::SubscriptionHas {
        subscription: subscription.to_owned(),
        publication: parse_qualified(first)?.name,
        has: is(words[at], "add"),
    })
}

fn created(facts: &Facts) -> Option<Settle> {
    let table = || Some(facts.locks.first()?.relation.as_ref()?.to_string());
    let Some(object) = facts.creates.first() else {
        return (facts.label == "CREATE INDEX")
            .then(table)?
            .map(|table| Settle::IndexMade { table });
    };
    match object.kind {
        ObjectKind::Index => {
            let table = object.on.as_ref().or_else(|| facts.locks.first()?.relation.as_ref())?;
            Some(Settle::IndexValid { index: object.name.to_string(), table: table.to_string() })
        }
        ObjectKind::Database => Some(Settle::DatabaseThere { database: object.name.name.clone() }),
        kind => Some(Settle::ObjectThere { kind: shared(kind)?, name: object.name.name.clone() }),
    }
}

fn dropped(drops: &[ObjectRef]) -> Option<Settle> {
    let [object] = drops else { return None };
    match object.kind {
        ObjectKind::Index => Some(Settle::IndexGone { index: object.name.to_string() }),
        ObjectKind::Database => Some(Settle::DatabaseGone { database: object.name.name.clone() }),
        kind => Some(Settle::ObjectGone { kind: shared(kind)?, name: object.name.name.clone() }),
    }
}

fn shared(kind: ObjectKind) -> Option<SharedKind> {
    match kind {
        ObjectKind::Subscription => Some(SharedKind::Subscription),
        ObjectKind::Tablespace => Some(SharedKind::Tablespace),
        _ => None,
    }
}

fn planned(statement: Statement) -> PlannedStatement {
    let sets_session = may_set_session(&statement);
    let facts = statement.facts;
    let if_not_exists = facts
        .if_not_exists
        .then(|| facts.creates.first().map(|object| object.name.name.clone()))
        .flatten();
    PlannedStatement {
        sql: statement.sql,
        label: facts.label,
        place: statement.place,
        verbatim: statement.verbatim,
        copy_data: statement.copy_data,
        if_not_exists,
        sets_session,
    }
}

/// Queries may call functions that set what they like; temporary tables belong to the session.
fn may_set_session(statement: &Statement) -> bool {
    let facts = &statement.facts;
    facts.sets_session
        || facts.opaque
        || (facts.kind == Kind::Read && facts.label != "SHOW")
        || is_temporary(&statement.sql)
}

fn sets_by_function(statement: &Statement) -> bool {
    statement.facts.kind == Kind::Read && statement.sql.to_ascii_lowercase().contains("set_config")
}

/// `CREATE [LOCAL|GLOBAL] TEMP …`, `SELECT … INTO TEMP …`.
fn is_temporary(sql: &str) -> bool {
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let is = |word: &str| ["temp", "temporary"].iter().any(|temp| word.eq_ignore_ascii_case(temp));
    match words.next() {
        Some(word) if word.eq_ignore_ascii_case("create") => words.take(2).any(is),
        Some(word) if word.eq_ignore_ascii_case("select") => words.any(is),
        _ => false,
    }
}

fn prepares(statement: &Statement) -> Problem {
    Problem::error(Code::TransactionForbidden, "PREPARE TRANSACTION in a migration")
        .at(statement.place.clone())
        .because("a prepared transaction outlives the run and keeps its locks")
        .fix("Use COMMIT.")
}

fn impossible(statement: &Statement, begin: &Statement) -> Problem {
    let label = &statement.facts.label;
    Problem::error(Code::TransactionForbidden, format!("{label} cannot run inside a transaction"))
        .at(statement.place.clone())
        .because(format!("the file opens a transaction at {}", begin.place))
        .fix("Commit before it, or move it to a migration of its own.")
}

fn batches_inside(statement: &Statement, begin: &Statement) -> Problem {
    let what = "batches are transactions of their own and cannot run inside another";
    Problem::error(Code::BatchesInvalid, what)
        .at(statement.place.clone())
        .because(format!("the file opens a transaction at {}", begin.place))
        .fix("Write COMMIT before the statement, or take BEGIN and COMMIT out of the file.")
}

fn left_open(begin: &Statement) -> Problem {
    Problem::error(Code::TransactionForbidden, "a transaction is begun and never ended")
        .at(begin.place.clone())
        .because("at the end of the file the server would roll everything back")
        .fix("Add COMMIT at the end of the file, or remove BEGIN.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::SqlBody;
    use crate::place::Place;
    use crate::program;

    fn units(sql: &str, mode: TransactionMode) -> Result<Vec<Unit>, Problem> {
        let body = SqlBody::verbatim(sql, Place::at("a.sql", 1, 1));
        units_of(program::build(&body, &|_, _, _| None).statements, mode)
    }

    fn shape(sql: &str, mode: TransactionMode) -> Vec<(char, usize)> {
        let letter = |unit: &Unit| match unit {
            Unit::Transaction { .. } => 't',
            Unit::Alone { .. } => 'a',
            Unit::Session { .. } => 's',
            Unit::Batched { .. } => 'b',
            Unit::Condition { .. } => 'i',
        };
        let units = units(sql, mode).unwrap();
        units.iter().map(|unit| (letter(unit), unit.statements().len())).collect()
    }

    #[test]
    fn a_file_is_one_transaction_where_it_can_be() {
        let auto = TransactionMode::Auto;
        assert_eq!(shape("SELECT 1; SET x.y = 1; SELECT 2", auto), [('t', 3)]);
        assert_eq!(shape("BEGIN; SELECT 1; COMMIT;", auto), [('t', 1)]);
        assert_eq!(shape("SELECT 1; SELECT 2", TransactionMode::Never), [('t', 1), ('t', 1)]);
    }

    #[test]
    fn what_no_transaction_can_hold_stands_alone() {
        let sql = "SET search_path = a; CREATE TABLE t (); CREATE INDEX CONCURRENTLY i ON t (x); \
                   BEGIN; SELECT 1; SELECT 2; COMMIT;";
        assert_eq!(shape(sql, TransactionMode::Auto), [('s', 1), ('t', 1), ('a', 1), ('t', 2)]);
    }

    #[test]
    fn batches_are_transactions_of_their_own() {
        let update = "-- pgfleet: batches size=5\nUPDATE t SET a = 1;";
        let file = format!("SELECT 1;\n{update}\nBEGIN; SELECT 2; SELECT 3; COMMIT;");
        assert_eq!(shape(&file, TransactionMode::Auto), [('t', 1), ('b', 1), ('t', 2)]);
        let inside = format!("BEGIN;\n{update}\nCOMMIT;");
        let refused = units(&inside, TransactionMode::Auto).unwrap_err();
        assert_eq!(refused.code, Code::BatchesInvalid);
    }

    #[test]
    fn the_catalog_can_settle_what_it_shows() {
        let settle = |sql: &str| match units(sql, TransactionMode::Auto).unwrap().remove(0) {
            Unit::Alone { settle, .. } => serde_json::to_string(&settle).unwrap(),
            other => format!("{other:?}"),
        };
        for (sql, shows) in [
            (
                "ALTER TABLE s.t DETACH PARTITION \"P\" CONCURRENTLY;",
                r#"{"settle":"partition_detached","parent":"s.t","partition":"\"P\""}"#,
            ),
            (
                "CREATE SUBSCRIPTION \"S\" CONNECTION 'x' PUBLICATION p;",
                r#"{"settle":"object_there","kind":"subscription","name":"S"}"#,
            ),
            (
                "DROP SUBSCRIPTION IF EXISTS s;",
                r#"{"settle":"object_gone","kind":"subscription","name":"s"}"#,
            ),
            (
                "CREATE TABLESPACE t LOCATION '/x';",
                r#"{"settle":"object_there","kind":"tablespace","name":"t"}"#,
            ),
            (
                "ALTER SUBSCRIPTION s\n ADD PUBLICATION a, b;",
                r#"{"settle":"subscription_has","subscription":"s","publication":"a","has":true}"#,
            ),
            (
                "alter subscription s drop publication \"A\";",
                r#"{"settle":"subscription_has","subscription":"s","publication":"A","has":false}"#,
            ),
            ("ALTER SUBSCRIPTION s REFRESH PUBLICATION;", r#"{"settle":"repeat"}"#),
            ("ALTER SUBSCRIPTION s SET PUBLICATION a;", r#"{"settle":"repeat"}"#),
            ("ALTER SYSTEM SET work_mem = '4MB';", r#"{"settle":"repeat"}"#),
            ("ALTER DATABASE d SET TABLESPACE t;", r#"{"settle":"repeat"}"#),
            ("VACUUM t;", r#"{"settle":"repeat"}"#),
            ("CLUSTER;", r#"{"settle":"repeat"}"#),
            ("REINDEX TABLE CONCURRENTLY t;", r#"{"settle":"reindex"}"#),
            ("COMMIT PREPARED 'x';", r#"{"settle":"ask"}"#),
        ] {
            assert_eq!(settle(sql), shows, "{sql}");
        }
    }

    #[test]
    fn a_condition_stands_before_what_it_is_for() {
        let sql = "SELECT 1;\n-- pgfleet: if SELECT true\nBEGIN; SELECT 2; COMMIT;\n\
                   -- pgfleet: if SELECT false\n-- pgfleet: batches\nDELETE FROM t;";
        let expected = [('t', 1), ('i', 0), ('t', 1), ('i', 0), ('b', 1)];
        assert_eq!(shape(sql, TransactionMode::Auto), expected);
    }

    #[test]
    fn a_files_own_transaction_control_must_make_sense() {
        let refused = |sql| units(sql, TransactionMode::Auto).is_err();
        assert!(refused("BEGIN; SELECT 1;"));
        assert!(refused("BEGIN; VACUUM; COMMIT;"));
        assert!(refused("BEGIN; SELECT 1; PREPARE TRANSACTION 'x';"));
        assert_eq!(
            shape("SELECT 1; BEGIN; SELECT 2; ROLLBACK;", TransactionMode::Auto),
            [('t', 1)]
        );
    }

    #[test]
    fn an_isolation_level_is_kept() {
        let sql = "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;";
        let units = units(sql, TransactionMode::Auto).unwrap();
        let statements = units[0].statements();
        assert_eq!(statements[0].sql, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;");
        assert_eq!(statements.len(), 2);
    }

    #[test]
    fn what_may_commit_inside_runs_in_no_transaction_of_ours() {
        let file = "CALL backfill(); DO $$ BEGIN UPDATE t SET a = 1; COMMIT; END $$; \
                    DO $$ BEGIN PERFORM committed_at FROM t; END $$; UPDATE t SET a = 1";
        let separate = [('a', 1), ('a', 1), ('t', 1), ('t', 1)];
        assert_eq!(shape(file, TransactionMode::Never), separate);
        assert_eq!(shape(file, TransactionMode::Auto), [('t', 4)]);
    }
}
