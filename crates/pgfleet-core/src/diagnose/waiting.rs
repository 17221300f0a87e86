//! Locks, transactions, resources and connections.

use pgfleet_sql::quote_text;

use super::explain::Failure;
use super::{Code, Problem};

pub(super) fn lock_timeout(failure: &Failure<'_>) -> Problem {
    let mut problem = failure.say(Code::LockTimeout);
    let blockers = &failure.catalog.blockers;
    problem = match blockers.len() {
        0 => problem.because("another session held a conflicting lock; it is gone by now"),
        1 => problem.because("another session holds a conflicting lock"),
        count => problem.because(format!("{count} sessions hold conflicting locks")),
    };
    for blocker in blockers {
        problem = problem.detail(format!(
            "process {} ({}, {}) is {} in a transaction of {} s: {}",
            blocker.pid,
            blocker.user,
            if blocker.application.is_empty() {
                "no application name"
            } else {
                &blocker.application
            },
            blocker.state,
            blocker.transaction_age_s,
            blocker.query
        ));
    }
    let problem = problem.fix("run the same command again when the other session has finished");
    match blockers.first() {
        Some(blocker) => problem.fix_with(
            "or end that session, if nobody needs it",
            format!("SELECT pg_terminate_backend({})", blocker.pid),
        ),
        None => problem.fix("or give it more time: a larger lock_timeout"),
    }
}

pub(super) fn deadlock(failure: &Failure<'_>) -> Problem {
    failure
        .say(Code::Deadlock)
        .because("two transactions waited for each other's locks, and the server ended this one")
        .fix("run the same command again: nothing of the transaction has remained")
        .fix("if it comes back, stop the writers, or lock the tables in one order at the transaction's beginning")
}

pub(super) fn cancelled(failure: &Failure<'_>) -> Problem {
    let problem = failure.say(Code::Cancelled);
    if failure.error.message.contains("statement timeout") {
        return problem
            .because("the statement ran longer than statement_timeout allows")
            .fix_with(
                "allow it more time in the migration",
                "SET LOCAL statement_timeout = '10min'",
            )
            .fix("or split the work; large UPDATEs go in batches, indexes with CONCURRENTLY");
    }
    problem
        .because("somebody cancelled the statement: Ctrl-C, or pg_cancel_backend")
        .fix("run the same command again to go on")
}

pub(super) fn transaction_forbidden(failure: &Failure<'_>) -> Problem {
    let label = &failure.context.facts.label;
    let statement = failure.error.message.split(" cannot").next().unwrap_or(label);
    failure
        .say(Code::TransactionForbidden)
        .because(format!("{statement} commits as it goes, so PostgreSQL refuses it inside BEGIN … COMMIT, a function or DO block, or together with other statements"))
        .fix("take the file's own BEGIN and COMMIT away, or put the statement into a migration of its own")
        .fix("mark the migration as one without transaction, as its format writes it (-- no-transaction, transaction:false, +goose NO TRANSACTION)")
}

pub(super) fn commits_inside(failure: &Failure<'_>) -> Problem {
    failure
        .say(Code::TransactionForbidden)
        .because("a procedure or DO block ends the transaction, which it may only where none was begun around it; the migration runs in one")
        .fix("mark the migration as one without transaction, as its format writes it (-- no-transaction, transaction:false, +goose NO TRANSACTION)")
        .fix("or take COMMIT and ROLLBACK out of the body")
}

pub(super) fn enum_value(failure: &Failure<'_>) -> Problem {
    let value = failure.quoted(0).unwrap_or_default();
    failure
        .say(Code::EnumValueUnsafe)
        .because(format!("the value `{value}` was added in this transaction; it can be used only after the commit"))
        .fix("put ALTER TYPE … ADD VALUE into a migration of its own, before the one that uses the value")
}

pub(super) fn read_only(failure: &Failure<'_>) -> Problem {
    let problem = failure.say(Code::RoleReadOnly);
    if failure.error.message.contains("recovery") {
        return Problem { code: Code::ServerInRecovery, ..problem }
            .because("the server is a standby, or became one")
            .fix("connect to the primary");
    }
    problem
        .because("the transaction is read-only: default_transaction_read_only is on for the role, database or server, or the provider ran out of disk")
        .fix_with("see who set it", "SELECT name, setting, source FROM pg_settings WHERE name LIKE '%read_only'")
        .fix_with("turn it off for this role", format!("ALTER ROLE {} SET default_transaction_read_only = off", pgfleet_sql::quote_ident(&failure.catalog.current_user)))
}

pub(super) fn resources(failure: &Failure<'_>) -> Problem {
    let problem = failure.say(Code::OutOfResources);
    match failure.error.sqlstate.as_str() {
        "53100" => problem
            .because("the server's disk is full, or temp_file_limit was reached")
            .fix("make room (old logs, replication slots that keep WAL), or enlarge the disk; then run the same command again")
            .fix_with("see which slots keep WAL", "SELECT slot_name, active, restart_lsn FROM pg_replication_slots"),
        "53200" if failure.error.message.contains("shared memory") => problem
            .because("the lock table is full: one transaction touched too many tables")
            .fix("split the migration")
            .fix_with("or make the table larger (needs a restart)", "ALTER SYSTEM SET max_locks_per_transaction = 256"),
        "53200" => problem
            .because("the server had no memory left for the statement")
            .fix("lower work_mem or maintenance_work_mem for it, or do the work in batches"),
        "53300" => problem
            .because("no connection is left")
            .fix("close idle clients, or raise max_connections"),
        _ => problem
            .because("a limit of the server was reached")
            .fix("split the statement, or raise the limit that the server names"),
    }
}

pub(super) fn lost(failure: &Failure<'_>) -> Problem {
    let by = match failure.error.sqlstate.as_str() {
        "57P01" => "an administrator ended the session, or the server is shutting down",
        "57P02" | "57P03" => "another server process crashed, and the server restarts all of them",
        _ => "the network, a proxy or the server ended it",
    };
    failure.say(Code::ConnectionLost).because(by).fix(
        "run the same command again: what was committed is recorded, the rest has been rolled back",
    )
}

/// What the server could not do on another server that the statement names.
pub(super) fn other_server(failure: &Failure<'_>) -> Problem {
    let problem = failure.say(Code::StatementFailed);
    let message = &failure.error.message;
    match failure.quoted(0) {
        Some(slot) if message.contains("already exists") => problem
            .because("the publisher has that slot already: an interrupted CREATE SUBSCRIPTION leaves it behind")
            .fix_with(
                "when nothing uses it, drop it on the publisher and run the same command again",
                format!("SELECT pg_drop_replication_slot({})", quote_text(slot)),
            )
            .fix(format!("or take it over: WITH (create_slot = false, slot_name = {})", quote_text(slot))),
        Some(slot) if message.contains("replication slot") && message.contains("does not exist") => problem
            .because(format!("the slot {slot:?} is gone from the publisher: an interrupted DROP SUBSCRIPTION drops it first"))
            .fix("part the subscription from its slot (ALTER SUBSCRIPTION … DISABLE, then SET (slot_name = NONE)) and run the same command again"),
        _ => problem
            .because("this server could not do its part on another server, which the statement names")
            .fix("look at that server: address, access rules, wal_level, free slots; then run the same command again"),
    }
}
