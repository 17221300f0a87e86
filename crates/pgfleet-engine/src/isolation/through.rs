//! Around the border: views, and functions that run with their owner's rights.

use pgfleet_core::tenancy::{Attempt, Operation, Verdict};

use super::{Trial, verdict};
use crate::connect::SessionError;
use crate::journal::literal;

/// Views, at any depth, that read the table. Those that do not show the tenant column, and are not read with
/// the reader's own rights, are named.
pub(super) async fn views(trial: &Trial<'_>) -> Result<Vec<Attempt>, SessionError> {
    let sql = format!(
        "WITH RECURSIVE readers(oid) AS ( \
           SELECT {table}::pg_catalog.regclass::oid UNION \
           SELECT r.ev_class FROM readers b JOIN pg_catalog.pg_depend d ON d.refobjid = b.oid \
             AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass \
             AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass \
           JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid) \
         SELECT c.oid::pg_catalog.regclass, CASE WHEN a.attname IS NOT NULL THEN 'shown' ELSE c.relkind::text END \
         FROM readers JOIN pg_catalog.pg_class c USING (oid) \
         LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND pg_catalog.quote_ident(a.attname) = {column} \
         WHERE c.relkind IN ('v', 'm') AND (a.attname IS NOT NULL \
           OR pg_catalog.has_table_privilege({role}, c.oid, 'SELECT') AND NOT EXISTS ( \
             SELECT FROM pg_catalog.unnest(c.reloptions) AS o WHERE o ~ '^security_invoker=(true|on|yes|1)$')) \
         ORDER BY 1",
        table = literal(&trial.table),
        column = literal(&trial.column()),
        role = literal(&trial.border.role),
    );
    let mut attempts = Vec::new();
    for row in trial.session.query_text(&sql).await? {
        let mut cells = row.into_iter().flatten();
        let (Some(view), Some(kind)) = (cells.next(), cells.next()) else { continue };
        let not_tried = |why: &str| Verdict::NotTried { why: why.to_owned() };
        let verdict = match kind.as_str() {
            "m" => {
                not_tried("it keeps rows of all tenants and does not say whose; no policy binds it")
            }
            "v" => {
                not_tried("it reads with its owner's rights and does not say whose rows; read it")
            }
            _ => {
                let read = format!("SELECT 1 FROM {view} WHERE {}", trial.theirs());
                verdict(trial.as_role("", &read).await?)
            }
        };
        attempts.push(attempt(trial, Operation::View, view, verdict));
    }
    Ok(attempts)
}

/// `SECURITY DEFINER` functions that the role may call and whose text names the table. Those without
/// arguments are called; of the others it is said that they were not.
pub(super) async fn functions(trial: &Trial<'_>) -> Result<Vec<Attempt>, SessionError> {
    let bare = trial.border.tables.iter().find(|name| name.to_string() == trial.table);
    let bare = bare.map(|name| name.name.clone()).unwrap_or_default();
    let sql = format!(
        "SELECT p.oid::pg_catalog.regprocedure, p.pronargs - p.pronargdefaults, \
         p.oid::pg_catalog.regproc FROM pg_catalog.pg_proc p WHERE p.prosecdef AND p.prokind = 'f' \
         AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype \
         AND pg_catalog.strpos(p.prosrc, {}) > 0 \
         AND pg_catalog.has_function_privilege({}, p.oid, 'EXECUTE') ORDER BY 1",
        literal(&bare),
        literal(&trial.border.role)
    );
    let mut attempts = Vec::new();
    for row in trial.session.query_text(&sql).await? {
        let mut cells = row.into_iter().flatten();
        let (Some(shown), Some(arguments), Some(name)) = (cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        let verdict = match arguments.as_str() {
            "0" => {
                let tenant = literal(&trial.border.column);
                let theirs = literal(&trial.pair.theirs);
                let call = format!(
                    "SELECT 1 FROM {name}() AS r WHERE CASE pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(r.*)) \
                     WHEN 'object' THEN pg_catalog.to_jsonb(r.*) ->> {tenant} = {theirs} END"
                );
                verdict(trial.as_role("", &call).await?)
            }
            _ => Verdict::NotTried {
                why: "it runs with its owner's rights and takes arguments; read it".to_owned(),
            },
        };
        attempts.push(attempt(trial, Operation::Function, shown, verdict));
    }
    Ok(attempts)
}

fn attempt(trial: &Trial<'_>, operation: Operation, through: String, verdict: Verdict) -> Attempt {
    Attempt { table: trial.table.clone(), operation, through: Some(through), verdict }
}
