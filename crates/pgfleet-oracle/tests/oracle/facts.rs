//! Syntax errors and facts against libpg_query's parse trees.

use super::*;
use pg_query::protobuf::TransactionStmtKind;
use pg_query::{NodeEnum, ParserOptions};
use pgfleet_sql::{Facts, Transaction, classify};

/// Every statement that libpg_query accepts, with its tree.
fn accepted(mut check: impl FnMut(&Path, &str, &NodeEnum)) {
    for (path, text) in scripts() {
        let sql = sanitize::sql_only(&text);
        for range in our_statements(&text) {
            let statement = &sql[range];
            let Ok(parsed) = pg_query::parse(statement, ParserOptions::default()) else { continue };
            let Some(raw) = parsed.protobuf.stmts.into_iter().next() else { continue };
            let Some(node) = raw.stmt.and_then(|node| node.node) else { continue };
            check(&path, statement, &node);
        }
    }
}

#[test]
fn what_postgres_accepts_is_no_syntax_error() {
    with_deep_stack(|| {
        let (mut statements, mut wrong) = (0, Vec::new());
        accepted(|path, statement, _| {
            statements += 1;
            if let Some(error) = pgfleet_sql::syntax::errors(statement).first() {
                wrong.push(format!("{}: {} in {statement}", path.display(), error.message));
            }
        });
        println!("{statements} statements without syntax errors");
        assert!(wrong.is_empty(), "{}\n{} wrongly refused", wrong.join("\n"), wrong.len());
    });
}

#[test]
fn facts_agree_with_the_parse_tree() {
    with_deep_stack(|| {
        let (mut statements, mut wrong) = (0, Vec::new());
        accepted(|path, statement, node| {
            statements += 1;
            let facts = classify(statement);
            if let Some(expected) = disagreement(&facts, node) {
                let (label, transaction) = (&facts.label, facts.transaction);
                let place = path.file_name().unwrap_or_default();
                wrong.push(format!(
                    "{place:?}: {label} {transaction:?}, not {expected}: {statement}"
                ));
            }
        });
        println!("{statements} statements classified");
        assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
    });
}

/// What the tree says otherwise.
fn disagreement(facts: &Facts, node: &NodeEnum) -> Option<String> {
    let labels = labels(node);
    let label_agrees = match labels {
        Some(labels) => labels.contains(&facts.label.as_str()),
        None => !facts.label.is_empty(),
    };
    if !label_agrees {
        return Some(format!("{labels:?}, {:.60?}", node));
    }
    let transaction = transaction(node)?;
    (facts.transaction != transaction).then(|| format!("{transaction:?}"))
}

/// The labels that fit a node, where its type alone decides.
fn labels(node: &NodeEnum) -> Option<&'static [&'static str]> {
    Some(match node {
        NodeEnum::SelectStmt(select) if select.into_clause.is_some() => &["SELECT INTO"],
        NodeEnum::SelectStmt(_) => &["SELECT"],
        NodeEnum::InsertStmt(_) => &["INSERT"],
        NodeEnum::UpdateStmt(_) => &["UPDATE"],
        NodeEnum::DeleteStmt(_) => &["DELETE"],
        NodeEnum::MergeStmt(_) => &["MERGE"],
        NodeEnum::TruncateStmt(_) => &["TRUNCATE"],
        NodeEnum::CopyStmt(_) => &["COPY"],
        NodeEnum::ExplainStmt(_) => &["EXPLAIN"],
        NodeEnum::CreateStmt(_) => &["CREATE TABLE"],
        NodeEnum::CreateTableAsStmt(_) => {
            &["CREATE TABLE AS", "CREATE MATERIALIZED VIEW", "SELECT INTO"]
        }
        NodeEnum::CreateForeignTableStmt(_) => &["CREATE FOREIGN TABLE"],
        NodeEnum::ViewStmt(_) => &["CREATE VIEW"],
        NodeEnum::IndexStmt(_) => &["CREATE INDEX"],
        NodeEnum::CreateTrigStmt(_) => &["CREATE TRIGGER"],
        NodeEnum::CreateFunctionStmt(_) => &["CREATE FUNCTION", "CREATE PROCEDURE"],
        NodeEnum::CreatePolicyStmt(_) => &["CREATE POLICY"],
        NodeEnum::RuleStmt(_) => &["CREATE RULE"],
        NodeEnum::CreateEnumStmt(_) | NodeEnum::CompositeTypeStmt(_) => &["CREATE TYPE"],
        NodeEnum::CreateSchemaStmt(_) => &["CREATE SCHEMA"],
        NodeEnum::CreateSeqStmt(_) => &["CREATE SEQUENCE"],
        NodeEnum::CreateRoleStmt(_) => &["CREATE ROLE"],
        NodeEnum::CreatedbStmt(_) => &["CREATE DATABASE"],
        NodeEnum::AlterEnumStmt(_) => &["ALTER TYPE"],
        NodeEnum::VacuumStmt(_) => &["VACUUM", "ANALYZE"],
        NodeEnum::ReindexStmt(_) => &["REINDEX"],
        NodeEnum::ClusterStmt(_) => &["CLUSTER"],
        NodeEnum::RefreshMatViewStmt(_) => &["REFRESH MATERIALIZED VIEW"],
        NodeEnum::LockStmt(_) => &["LOCK TABLE"],
        NodeEnum::CommentStmt(_) => &["COMMENT"],
        NodeEnum::DoStmt(_) => &["DO"],
        NodeEnum::CallStmt(_) => &["CALL"],
        NodeEnum::VariableSetStmt(_) => &["SET", "RESET"],
        NodeEnum::VariableShowStmt(_) => &["SHOW"],
        NodeEnum::ConstraintsSetStmt(_) => &["SET CONSTRAINTS"],
        _ => return None,
    })
}

/// The transaction mode, where the node's type and options decide; `Anywhere` for the usual rest.
fn transaction(node: &NodeEnum) -> Option<Transaction> {
    Some(match node {
        NodeEnum::TransactionStmt(statement) => match statement.kind() {
            TransactionStmtKind::TransStmtBegin | TransactionStmtKind::TransStmtStart => {
                Transaction::Begin
            }
            TransactionStmtKind::TransStmtCommit => Transaction::Commit,
            TransactionStmtKind::TransStmtRollback => Transaction::Rollback,
            TransactionStmtKind::TransStmtPrepare => Transaction::PrepareTransaction,
            TransactionStmtKind::TransStmtCommitPrepared
            | TransactionStmtKind::TransStmtRollbackPrepared => Transaction::Never,
            _ => Transaction::Savepoint,
        },
        NodeEnum::IndexStmt(index) if index.concurrent => Transaction::Never,
        NodeEnum::DropStmt(dropped) if dropped.concurrent => Transaction::Never,
        NodeEnum::VacuumStmt(vacuum) if vacuum.is_vacuumcmd => Transaction::Never,
        NodeEnum::ClusterStmt(cluster) if cluster.relation.is_none() => Transaction::Never,
        NodeEnum::AlterEnumStmt(change) if change.old_val.is_empty() => {
            Transaction::NeverUseValueUntilCommit
        }
        NodeEnum::CreatedbStmt(_)
        | NodeEnum::DropdbStmt(_)
        | NodeEnum::CreateTableSpaceStmt(_)
        | NodeEnum::DropTableSpaceStmt(_)
        | NodeEnum::AlterSystemStmt(_)
        | NodeEnum::DropSubscriptionStmt(_) => Transaction::Never,
        // Their options decide.
        NodeEnum::ReindexStmt(_)
        | NodeEnum::AlterTableStmt(_)
        | NodeEnum::AlterDatabaseStmt(_)
        | NodeEnum::CreateSubscriptionStmt(_)
        | NodeEnum::AlterSubscriptionStmt(_)
        | NodeEnum::DiscardStmt(_) => return None,
        _ => Transaction::Anywhere,
    })
}
