//! `reset`: empties a development database, so that everything is applied anew.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::NativeLock;
use pgfleet_sql::quote_ident;

use super::change::{ChangeError, lock_problem};
use super::target::Target;
use crate::connect::Session;
use crate::execute::NoEvents;
use crate::lock::{LockWait, lock_coordinator, lock_worker};

/// Schemas that a hosting platform owns; they are left alone.
const PLATFORM_SCHEMAS: &[&str] = &[
    "auth",
    "storage",
    "extensions",
    "realtime",
    "graphql",
    "graphql_public",
    "vault",
    "net",
    "cron",
    "pgbouncer",
    "pgsodium",
    "supabase_functions",
    "_realtime",
    "_analytics",
];

/// Drops everything of the user's and of ours: schemas, tables, histories, the journal.
///
/// # Errors
/// When the database does not look like a development database, or consent is missing.
pub async fn reset(target: &Target, allow_data_loss: bool) -> Result<Vec<String>, ChangeError> {
    refuse_unless_development(target)?;
    let session = target.connect().await?;
    let schemas = own_schemas(target, &session).await?;
    if !allow_data_loss {
        return Err(Box::new(consent_missing(target, &schemas)).into());
    }
    lock_out_others(target, &session).await?;
    let outcome = session.run_batch(&reset_sql(&schemas)).await;
    match outcome.error {
        None => Ok(schemas),
        Some(error) => Err(target.session_problem(&error).into()),
    }
}

/// Nobody asked can stop it: what it does is one transaction.
async fn lock_out_others(target: &Target, session: &Session) -> Result<(), Box<Problem>> {
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let deadline_ms = target.settings.apply.lock_wait_ms;
    let keys = target.lock_keys();
    let wait = LockWait { keys, deadline_ms, events: &NoEvents, stop };
    let coordinator = lock_coordinator(session, NativeLock::None, &wait).await;
    coordinator.map_err(|error| lock_problem(target, error))?;
    lock_worker(session, &wait).await.map_err(|error| lock_problem(target, error))
}

/// A database on this machine, or one that the configuration calls a development database.
fn refuse_unless_development(target: &Target) -> Result<(), Box<Problem>> {
    match target.settings.development {
        Some(true) => Ok(()),
        None if target.spec.is_local() => Ok(()),
        said => Err(Box::new(protected(target, said))),
    }
}

fn protected(target: &Target, said: Option<bool>) -> Problem {
    let why = match said {
        Some(_) => "the configuration says development = false",
        None => "it is not on this machine, and the configuration does not call it one",
    };
    Problem::error(Code::TargetProtected, "the target does not look like a development database")
        .in_target(&target.name)
        .because(why)
        .fix("If it is one, say so: development = true under [database] in pgfleet.toml.")
}

fn consent_missing(target: &Target, schemas: &[String]) -> Problem {
    Problem::error(
        Code::ConsentMissing,
        "reset drops everything in the database, and that was not allowed",
    )
    .in_target(&target.name)
    .detail(format!("{}: schemas {}", target.spec.redacted(), schemas.join(", ")))
    .fix_with("Allow it.", "pgfleet reset --allow-data-loss")
}

/// The schemas of a database that are neither PostgreSQL's nor a hosting platform's.
///
/// # Errors
/// When the server cannot be asked.
pub async fn own_schemas(target: &Target, session: &Session) -> Result<Vec<String>, Box<Problem>> {
    let sql = "SELECT nspname FROM pg_catalog.pg_namespace \
               WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname";
    let rows = session.query_text(sql).await.map_err(|error| target.session_problem(&error))?;
    let names = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
    Ok(names.filter(|name| !PLATFORM_SCHEMAS.contains(&name.as_str())).collect())
}

/// One transaction. `public` comes back as a new database has it, with its owner and grants.
fn reset_sql(schemas: &[String]) -> String {
    let mut sql = String::from("BEGIN;\n");
    for schema in schemas.iter().filter(|schema| *schema != "public") {
        sql.push_str(&format!("DROP SCHEMA {} CASCADE;\n", quote_ident(schema)));
    }
    if schemas.iter().any(|schema| schema == "public") {
        sql.push_str(RESET_PUBLIC);
    }
    sql.push_str("COMMIT;");
    sql
}

/// Owner, grants and comment of `public` are kept across the drop.
const RESET_PUBLIC: &str = "DO $pgfleet$
DECLARE
  owner text; acl aclitem[]; description text; entry record;
BEGIN
  SELECT r.rolname, n.nspacl, pg_catalog.obj_description(n.oid, 'pg_namespace')
    INTO owner, acl, description
    FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
    WHERE n.nspname = 'public';
  DROP SCHEMA public CASCADE;
  CREATE SCHEMA public;
  FOR entry IN SELECT g.grantee, g.privilege_type, g.is_grantable FROM pg_catalog.aclexplode(acl) g LOOP
    EXECUTE pg_catalog.format('GRANT %s ON SCHEMA public TO %s%s', entry.privilege_type,
      CASE WHEN entry.grantee = 0 THEN 'PUBLIC' ELSE entry.grantee::pg_catalog.regrole::text END,
      CASE WHEN entry.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
  END LOOP;
  EXECUTE pg_catalog.format('COMMENT ON SCHEMA public IS %L', description);
  BEGIN
    EXECUTE pg_catalog.format('ALTER SCHEMA public OWNER TO %I', owner);
  EXCEPTION WHEN insufficient_privilege THEN NULL;
  END;
END
$pgfleet$;
";
