//! Tenants that have a schema of a database that they share.
//!
//! Invariant: nothing outside of the schema goes with it; what would is found by dropping it in a
//! transaction and counting what is left.

use pgfleet_core::config::TenantSection;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;

use super::database::USER;
use super::home::{Found, Homes, LEAVING};
use super::journal::Entry;
use super::place::first;
use crate::connect::SessionError;
use crate::journal::literal;

/// What the comment of a schema that is half made begins with. Groups leave such schemas out.
pub(crate) const MARK: &str = "pgfleet: half made by ";

/// Objects that a refusal names.
const NAMED_MAX: usize = 20;

/// The comment of a schema while it is being made.
pub(super) fn mark(run_id: &str) -> String {
    format!("{MARK}{run_id}")
}

/// OID, name, false, of schemas for which a condition on `oid`, `name` and `mark` holds.
pub(super) fn found_sql(condition: &str) -> String {
    format!(
        "SELECT oid, name, false FROM (SELECT oid, nspname AS name, \
         pg_catalog.obj_description(oid, 'pg_namespace') AS mark FROM pg_catalog.pg_namespace) AS s \
         WHERE {condition}"
    )
}

/// Two statements, one transaction.
pub(super) fn create_sql(name: &str, run_id: &str, how: &TenantSection) -> String {
    let owner = how.owner.as_deref().map(|role| format!(" AUTHORIZATION {}", quote_ident(role)));
    let (name, owner) = (quote_ident(name), owner.unwrap_or_default());
    let mark = literal(&mark(run_id));
    format!("CREATE SCHEMA {name}{owner}; COMMENT ON SCHEMA {name} IS {mark}")
}

pub(super) fn unmark_sql(name: &str) -> String {
    format!("COMMENT ON SCHEMA {} IS NULL", quote_ident(name))
}

pub(super) fn rename_sql(from: &str, to: &str) -> String {
    format!("ALTER SCHEMA {} RENAME TO {}", quote_ident(from), quote_ident(to))
}

/// Who has something of a schema in use.
pub(super) fn users_sql(schema: &str) -> String {
    let held = format!(
        "FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE l.database = (SELECT oid FROM pg_catalog.pg_database \
         WHERE datname = pg_catalog.current_database()) AND n.nspname = {}",
        literal(schema)
    );
    format!(
        "SELECT {USER} FROM pg_catalog.pg_stat_activity WHERE pid <> pg_catalog.pg_backend_pid() \
         AND coalesce(backend_type, 'client backend') = 'client backend' \
         AND pid IN (SELECT l.pid {held}) \
         UNION ALL SELECT pg_catalog.format('the prepared transaction %s of user %s', gid, owner) \
         FROM pg_catalog.pg_prepared_xacts \
         WHERE transaction IN (SELECT t.transactionid FROM pg_catalog.pg_locks t \
         WHERE t.locktype = 'transactionid' AND t.pid IS NULL \
         AND t.virtualtransaction IN (SELECT l.virtualtransaction {held} AND l.pid IS NULL))"
    )
}

pub(super) fn bytes_sql(schema: &str) -> String {
    format!(
        "SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'm') AND n.nspname = {}",
        literal(schema)
    )
}

/// Locks every table that rows can be written to, so that who writes is through and who waits finds
/// nothing of the name any more.
fn lock_all_sql(schema: &str) -> String {
    let body = format!(
        "DECLARE tables text; BEGIN SELECT pg_catalog.string_agg(c.oid::regclass::text, ', ' \
         ORDER BY c.oid) INTO tables FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
         ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname = {}; \
         IF tables IS NOT NULL THEN EXECUTE 'LOCK TABLE ' || tables || \
         ' IN ACCESS EXCLUSIVE MODE'; END IF; END",
        literal(schema)
    );
    format!("DO {}", literal(&body))
}

/// What an earlier run left unfinished in the schema goes with it.
fn forget_sql(schema: &str) -> String {
    let body = format!(
        "BEGIN IF pg_catalog.to_regclass('pgfleet.steps') IS NOT NULL THEN \
         UPDATE pgfleet.steps SET closed = true WHERE scope = {} AND NOT closed; END IF; END",
        literal(schema)
    );
    format!("DO {}", literal(&body))
}

/// Catalog and OID of everything that is not in the schema and could go with it.
fn outside_sql(oid: u32) -> String {
    let elsewhere = format!(
        "(SELECT oid FROM pg_catalog.pg_namespace WHERE oid <> {oid} \
         AND nspname !~ '^pg_(toast|temp)')"
    );
    let own = |catalog: &str, schema: &str| {
        format!("SELECT tableoid, oid FROM pg_catalog.{catalog} WHERE {schema} IN {elsewhere}")
    };
    let of_table = |catalog: &str, table: &str| {
        format!(
            "SELECT o.tableoid, o.oid FROM pg_catalog.{catalog} o JOIN pg_catalog.pg_class c \
             ON c.oid = o.{table} WHERE c.relnamespace IN {elsewhere}"
        )
    };
    [
        own("pg_class", "relnamespace"),
        own("pg_constraint", "connamespace"),
        own("pg_proc", "pronamespace"),
        own("pg_type", "typnamespace"),
        own("pg_statistic_ext", "stxnamespace"),
        of_table("pg_attrdef", "adrelid"),
        of_table("pg_policy", "polrelid"),
        of_table("pg_rewrite", "ev_class"),
        format!("{} AND NOT o.tgisinternal", of_table("pg_trigger", "tgrelid")),
        "SELECT tableoid, oid FROM pg_catalog.pg_extension".to_owned(),
        "SELECT tableoid, oid FROM pg_catalog.pg_event_trigger".to_owned(),
        "SELECT tableoid, oid FROM pg_catalog.pg_cast".to_owned(),
    ]
    .join(" UNION ALL ")
}

/// Columns elsewhere of a type of the schema, in words.
fn columns_sql(oid: u32) -> String {
    format!(
        "SELECT 'column ' || a.attname || ' of ' || a.attrelid::regclass::text \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE t.typnamespace = {oid} \
         AND c.relnamespace <> {oid} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') \
         AND a.attnum > 0 AND NOT a.attisdropped"
    )
}

impl Homes<'_> {
    /// Gives a schema its private name, once nobody writes to its tables.
    pub(super) async fn hide_schema(
        &self,
        code: &str,
        from: &str,
        to: &str,
    ) -> Result<(), Box<Problem>> {
        let sql = format!("{}; {}; {}", patience(), lock_all_sql(from), rename_sql(from, to));
        let done = self.session.batch(&sql).await;
        match done {
            Ok(()) => Ok(()),
            Err(error) => Err(self.not_had(&error, code, from).await),
        }
    }

    /// Why locks were not had, with who has them.
    async fn not_had(&self, error: &SessionError, code: &str, schema: &str) -> Box<Problem> {
        if error.server().is_none_or(|server| server.sqlstate != "55P03") {
            return self.problem(error);
        }
        // Nothing is seen within a transaction that failed.
        let _ = self.session.batch("ROLLBACK").await;
        let users = self.ask(&users_sql(schema)).await.unwrap_or_default();
        let users: Vec<_> = users.into_iter().flatten().flatten().collect();
        match users.is_empty() {
            true => {
                let what = "somebody has a table in use that the schema's tables refer to";
                self.in_use(code, vec![what.to_owned()])
            }
            false => self.in_use(code, users),
        }
    }

    /// Refuses to drop a schema that something elsewhere needs. Nothing is changed.
    pub(super) async fn refuse_needed_schema(
        &self,
        code: &str,
        found: &Found,
    ) -> Result<(), Box<Problem>> {
        let tried = self.without(found, code, "").await;
        self.run("ROLLBACK").await?;
        match tried? {
            lost if lost.is_empty() => Ok(()),
            lost => Err(needed(code, &found.name, lost)),
        }
    }

    pub(super) async fn drop_schema(
        &self,
        found: &Found,
        entry: &Entry,
    ) -> Result<(), Box<Problem>> {
        let lost = self.without(found, &entry.code, &forget_sql(&entry.home)).await;
        match lost {
            Ok(lost) if lost.is_empty() => self.run("COMMIT").await,
            lost => {
                self.run("ROLLBACK").await?;
                Err(needed(&entry.code, &found.name, lost?))
            }
        }
    }

    /// Drops a schema in a transaction that is left open. Gives what would go that is not in it.
    async fn without(
        &self,
        found: &Found,
        code: &str,
        besides: &str,
    ) -> Result<Vec<String>, Box<Problem>> {
        let outside = outside_sql(found.oid);
        let count = format!("SELECT count(*) FROM ({outside}) AS o");
        self.run(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {}", patience())).await?;
        let columns = self.ask(&columns_sql(found.oid)).await?;
        let before = first(&self.ask(&count).await?);
        let drop = format!("DROP SCHEMA {} CASCADE; {besides}", quote_ident(&found.name));
        if let Err(error) = self.session.batch(&drop).await {
            return Err(self.not_had(&error, code, &found.name).await);
        }
        let mut lost: Vec<_> = columns.into_iter().flatten().flatten().collect();
        if first(&self.ask(&count).await?) != before {
            lost.extend(self.lost(found, &outside).await?);
        }
        Ok(lost)
    }

    /// What goes with a schema and is not in it, in words; the transaction begins again.
    async fn lost(&self, found: &Found, outside: &str) -> Result<Vec<String>, Box<Problem>> {
        let begin = format!("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; {}", patience());
        self.run(&begin).await?;
        let all = format!(
            "SELECT o.tableoid || ' ' || o.oid, pg_catalog.pg_describe_object(o.tableoid, o.oid, 0) \
             FROM ({outside}) AS o"
        );
        let before = self.ask(&all).await?;
        self.run(&format!("DROP SCHEMA {} CASCADE", quote_ident(&found.name))).await?;
        let keys = format!("SELECT o.tableoid || ' ' || o.oid FROM ({outside}) AS o");
        let after: std::collections::BTreeSet<_> =
            self.ask(&keys).await?.into_iter().flatten().flatten().collect();
        let is_gone = |row: &Vec<Option<String>>| {
            row.first().and_then(Option::as_ref).is_some_and(|key| !after.contains(key))
        };
        let gone = before.into_iter().filter(is_gone);
        Ok(gone.filter_map(|row| row.into_iter().nth(1).flatten()).collect())
    }
}

fn patience() -> String {
    format!("SET LOCAL lock_timeout = {}", LEAVING.as_millis())
}

fn needed(code: &str, schema: &str, lost: Vec<String>) -> Box<Problem> {
    let what = format!("the schema {schema} of the tenant {code} is needed elsewhere");
    let problem = Problem::error(Code::TenantInUse, what)
        .in_target(code)
        .because("what is not in the schema and uses it would be dropped with it");
    let more = lost.len().saturating_sub(NAMED_MAX);
    let problem = lost.into_iter().take(NAMED_MAX).fold(problem, Problem::detail);
    let problem = match more {
        0 => problem,
        more => problem.detail(format!("and {more} more")),
    };
    Box::new(problem.fix("Drop or change these first, and run the same command again."))
}
