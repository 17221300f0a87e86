//! Statements about tenants that have a database.

use pgfleet_core::config::TenantSection;
use pgfleet_sql::quote_ident;

use crate::journal::literal;

/// OID, name, whether it is a template, of databases for which a condition on `oid` and `name` holds.
pub(super) fn found_sql(condition: &str) -> String {
    format!(
        "SELECT oid, name, is_template FROM (SELECT oid, datname AS name, \
         datistemplate AS is_template FROM pg_catalog.pg_database) AS d WHERE {condition}"
    )
}

pub(super) fn create_sql(name: &str, how: &TenantSection) -> String {
    let owner = how.owner.as_deref().map(|role| format!(" OWNER {}", quote_ident(role)));
    let like = how.template.as_deref().map(|name| format!(" TEMPLATE {}", quote_ident(name)));
    let (owner, like) = (owner.unwrap_or_default(), like.unwrap_or_default());
    format!("CREATE DATABASE {}{owner}{like}", quote_ident(name))
}

/// Gives a database another name; refused by the server while anybody else is connected to it.
pub(super) fn rename_sql(from: &str, to: &str) -> String {
    format!("ALTER DATABASE {} RENAME TO {}", quote_ident(from), quote_ident(to))
}

/// Who is connected. Who may not see other roles' sessions in full gets but their process, role and
/// application.
pub(super) fn users_sql(database: &str) -> String {
    let name = literal(database);
    format!(
        "SELECT {USER} FROM pg_catalog.pg_stat_activity WHERE datname = {name} \
         AND usename IS NOT NULL \
         AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender') \
         UNION ALL SELECT pg_catalog.format('the prepared transaction %s of user %s', gid, owner) \
         FROM pg_catalog.pg_prepared_xacts WHERE database = {name}"
    )
}

/// A row of `pg_stat_activity` in words.
pub(super) const USER: &str = "pg_catalog.format('pid %s, user %s, application %s, %s', pid, usename, \
     pg_catalog.quote_literal(application_name), \
     coalesce('from ' || client_addr::text, CASE WHEN backend_type IS NULL \
     THEN 'more is for pg_read_all_stats' ELSE 'on the server itself' END) || \
     coalesce(', connected since ' || pg_catalog.date_trunc('second', backend_start)::text, ''))";

pub(super) fn bytes_sql(database: &str) -> String {
    format!("SELECT pg_catalog.pg_database_size({})", literal(database))
}
