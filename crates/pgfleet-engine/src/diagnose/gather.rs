//! Which facts explain which error, and the queries that find them.

use pgfleet_core::diagnose::{Blocker, CatalogFacts, ExistingObject};

use super::Failure;
use super::ask::{Row, ask, ask_names, literal};
use super::compare::compare_existing;
use super::rows::violations;
use crate::connect::Session;

/// Asks exactly what the error's kind needs.
pub(super) async fn catalog_facts(session: &Session, failure: &Failure<'_>) -> CatalogFacts {
    let mut facts = CatalogFacts::default();
    if session.is_closed() {
        return facts;
    }
    let own = "SELECT current_user, current_setting('search_path'), current_setting('server_version_num')";
    let row = ask(session, own).await.into_iter().next().unwrap_or_default();
    let mut values = row.into_iter();
    facts.current_user = values.next().flatten().unwrap_or_default();
    facts.search_path = values.next().flatten().unwrap_or_default();
    facts.version_num = values.next().flatten().and_then(|n| n.parse().ok()).unwrap_or(0);
    match failure.error.sqlstate.as_str() {
        "42P07" | "42710" | "42723" | "42P06" => {
            facts.existing = existing(session, &created_name(failure)).await;
            facts.comparison = compare_existing(session, failure.statement).await;
        }
        "42501" => facts.existing = existing(session, &denied_name(failure)).await,
        "42P01" | "42703" | "42883" | "42704" | "3F000" => {
            missing(session, failure, &mut facts).await
        }
        "0A000" | "58P01" | "22023" => facts.extensions = extensions(session).await,
        "55P03" => facts.blockers = blockers(session, failure).await,
        "2BP01" => facts.dependents = dependents(failure),
        sqlstate if sqlstate.starts_with("23") || sqlstate == "22001" => {
            facts.violations = violations(session, failure).await;
        }
        _ => {}
    }
    facts
}

fn quoted<'a>(failure: &Failure<'a>, nth: usize) -> Option<&'a str> {
    failure.error.message.split('"').nth(2 * nth + 1)
}

fn created_name(failure: &Failure<'_>) -> String {
    let created = failure.facts.creates.first().map(|object| object.name.to_string());
    created.or_else(|| quoted(failure, 0).map(pgfleet_sql::quote_ident)).unwrap_or_default()
}

/// `must be owner of table users`, `permission denied for schema public`.
fn denied_name(failure: &Failure<'_>) -> String {
    let mentioned =
        failure.facts.alters.iter().chain(&failure.facts.drops).chain(&failure.facts.uses);
    let last = failure.error.message.rsplit(' ').next().unwrap_or_default().trim_matches('"');
    let full = mentioned.map(|object| &object.name).find(|name| name.name == last);
    full.map_or_else(|| pgfleet_sql::quote_ident(last), ToString::to_string)
}

async fn existing(session: &Session, name: &str) -> Option<ExistingObject> {
    let text = literal(name);
    let own = literal(&pgfleet_sql::parse_qualified(name)?.name);
    let sql = format!(
        "SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' \
           WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' \
           WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE 'type' END, \
         quote_ident(n.nspname) || '.' || quote_ident(relname), pg_get_userbyid(relowner) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = to_regclass({text}) \
         UNION ALL SELECT 'function', p.oid::regprocedure::text, pg_get_userbyid(proowner) \
         FROM pg_proc p WHERE proname = {own} AND pg_function_is_visible(p.oid) \
         UNION ALL SELECT 'type', t.oid::regtype::text, pg_get_userbyid(typowner) \
         FROM pg_type t WHERE t.oid = to_regtype({text}) AND typtype <> 'c' \
         UNION ALL SELECT 'schema', quote_ident(nspname), pg_get_userbyid(nspowner) \
         FROM pg_namespace WHERE nspname = {own} LIMIT 1"
    );
    let row = ask(session, &sql).await.into_iter().next()?;
    let mut values = row.into_iter();
    Some(ExistingObject { kind: values.next()??, name: values.next()??, owner: values.next()?? })
}

async fn missing(session: &Session, failure: &Failure<'_>, facts: &mut CatalogFacts) {
    let named = quoted(failure, 0).map_or_else(
        || {
            let word = failure.error.message.split(' ').nth(1).unwrap_or_default();
            word.split('(').next().unwrap_or_default().to_owned()
        },
        str::to_owned,
    );
    let own = literal(named.rsplit('.').next().unwrap_or_default().trim_matches('"'));
    facts.similar = ask_names(session, &similar_query(failure, &own)).await;
    facts.extensions = extensions(session).await;
    let elsewhere = match failure.error.sqlstate.as_str() {
        "42P01" => ("pg_class", "relname", "relnamespace"),
        "42883" => ("pg_proc", "proname", "pronamespace"),
        "42704" => ("pg_type", "typname", "typnamespace"),
        _ => return,
    };
    let (table, column, schema) = elsewhere;
    let sql = format!(
        "SELECT DISTINCT n.nspname FROM {table} JOIN pg_namespace n ON n.oid = {schema} \
         WHERE {column} = {own} AND n.nspname <> ALL (current_schemas(true)) \
         AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1 LIMIT 5"
    );
    facts.elsewhere = ask_names(session, &sql).await;
}

/// Names of about the same length: the core picks the closest.
fn similar_query(failure: &Failure<'_>, own: &str) -> String {
    let users = "nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'";
    let near = |column: &str| format!("abs(length({column}) - length({own})) <= 3");
    match failure.error.sqlstate.as_str() {
        "42703" => format!(
            "SELECT DISTINCT attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid \
             JOIN pg_namespace n ON n.oid = relnamespace WHERE {users} AND attnum > 0 \
             AND NOT attisdropped {} AND ({}) ORDER BY 1 LIMIT 5000",
            of_relations(failure),
            near("attname")
        ),
        "42883" => format!(
            "SELECT DISTINCT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace \
             WHERE {users} AND ({}) ORDER BY 1 LIMIT 5000",
            near("proname")
        ),
        "3F000" => format!("SELECT nspname FROM pg_namespace WHERE {users} ORDER BY 1 LIMIT 5000"),
        "42704" => format!(
            "SELECT DISTINCT typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace \
             WHERE {users} AND typelem = 0 AND ({}) \
             UNION SELECT rolname FROM pg_roles WHERE ({}) AND rolname NOT LIKE 'pg\\_%' \
             ORDER BY 1 LIMIT 5000",
            near("typname"),
            near("rolname")
        ),
        _ => format!(
            "SELECT DISTINCT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace \
             WHERE {users} AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i') AND ({}) \
             ORDER BY 1 LIMIT 5000",
            near("relname")
        ),
    }
}

/// Restricts columns to those of the statement's tables, when they are known.
fn of_relations(failure: &Failure<'_>) -> String {
    let objects = failure.facts.uses.iter().chain(&failure.facts.alters);
    let mut names: Vec<_> = objects.map(|object| literal(&object.name.name)).collect();
    names.extend(quoted(failure, 1).map(literal));
    match names.is_empty() {
        true => String::new(),
        false => format!("AND relname IN ({})", names.join(", ")),
    }
}

async fn extensions(session: &Session) -> Vec<String> {
    ask_names(session, "SELECT name FROM pg_available_extensions ORDER BY 1").await
}

/// Sessions with an open transaction that hold locks on the statement's relations (on any relation
/// of the database when the text does not tell).
async fn blockers(session: &Session, failure: &Failure<'_>) -> Vec<Blocker> {
    let locked = failure.facts.locks.iter().filter_map(|lock| lock.relation.as_ref());
    let touched =
        failure.facts.alters.iter().chain(&failure.facts.drops).map(|object| &object.name);
    let names: Vec<_> = locked.chain(touched).map(|name| literal(&name.to_string())).collect();
    let of_relations = match names.is_empty() {
        true => "c.relnamespace <> 'pg_catalog'::regnamespace".to_owned(),
        false => format!(
            "c.oid IN (SELECT to_regclass(x) FROM unnest(ARRAY[{}]) x UNION \
             SELECT indexrelid FROM pg_index WHERE indrelid IN \
             (SELECT to_regclass(x) FROM unnest(ARRAY[{}]) x))",
            names.join(", "),
            names.join(", ")
        ),
    };
    let sql = format!(
        "SELECT DISTINCT a.pid, a.usename, a.application_name, a.state, \
         extract(epoch FROM clock_timestamp() - a.xact_start)::bigint, left(a.query, 200) \
         FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
         JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.granted AND l.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND {of_relations} ORDER BY 5 DESC LIMIT 5"
    );
    ask(session, &sql).await.into_iter().filter_map(blocker).collect()
}

fn blocker(row: Row) -> Option<Blocker> {
    let mut values = row.into_iter().map(Option::unwrap_or_default);
    Some(Blocker {
        pid: values.next()?.parse().ok()?,
        user: values.next()?,
        application: values.next()?,
        state: values.next()?,
        transaction_age_s: values.next()?.parse().unwrap_or(0),
        query: values.next()?.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

/// The server lists them itself, up to a hundred.
fn dependents(failure: &Failure<'_>) -> Vec<String> {
    let detail = failure.error.detail.as_deref().unwrap_or_default();
    detail.lines().map(str::to_owned).collect()
}
