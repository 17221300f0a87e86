//! The SQL of a tenant section and of seeds, with the tenant's values in it.

use std::collections::BTreeMap;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::filled::statements_with;
use pgfleet_core::place::Place;
use pgfleet_sql::{Transaction, classify};

/// Puts values into SQL of the configuration. `what` is its key.
///
/// # Errors
/// When a value is not there, or the SQL would end the transaction that it runs in.
pub(super) fn of_section(
    what: &str,
    sql: &str,
    values: &BTreeMap<String, String>,
) -> Result<String, Box<Problem>> {
    with_values(sql, values).map_err(|why| {
        Box::new(
            Problem::error(Code::TenantRefused, format!("{what} under tenant cannot be run"))
                .because(why)
                .detail(known(values))
                .fix_with("Give what it needs.", "pgfleet tenant create CODE --set NAME=VALUE"),
        )
    })
}

/// Puts values into a seed.
///
/// # Errors
/// See [`of_section`].
pub(super) fn of_seed(
    file: &str,
    sql: &str,
    values: &BTreeMap<String, String>,
) -> Result<String, Box<Problem>> {
    with_values(sql, values).map_err(|why| {
        Box::new(
            Problem::error(Code::TenantRefused, format!("the seed {file} cannot be run"))
                .at(Place::file(file))
                .because(why)
                .detail(known(values))
                .fix_with("Give what it needs.", "pgfleet tenant create CODE --set NAME=VALUE"),
        )
    })
}

fn known(values: &BTreeMap<String, String>) -> String {
    let names: Vec<_> = values.keys().map(String::as_str).collect();
    format!("values that there are: {}", names.join(", "))
}

fn with_values(sql: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::with_capacity(sql.len());
    for statement in statements_with(sql, values)? {
        refuse_transaction(&statement)?;
        out.push_str(statement.trim_end().trim_end_matches(';'));
        // On a line of its own, whatever the statement ends in.
        out.push_str("\n;\n");
    }
    Ok(out)
}

fn refuse_transaction(statement: &str) -> Result<(), String> {
    match classify(statement).transaction {
        Transaction::Begin
        | Transaction::Commit
        | Transaction::Rollback
        | Transaction::PrepareTransaction => {
            Err("it begins or ends a transaction, and is a part of one".to_owned())
        }
        Transaction::Never => Err("a statement in it cannot be a part of a transaction".to_owned()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_and_transactions_kept_whole() {
        let values = BTreeMap::from([("code".to_owned(), "o'x\"; DROP".to_owned())]);
        let sql = with_values("INSERT INTO t VALUES (:'code');\n", &values).unwrap();
        assert_eq!(sql, "INSERT INTO t VALUES ('o''x\"; DROP')\n;\n");
        assert_eq!(
            with_values("SELECT :code -- a", &values).unwrap(),
            "SELECT 'o''x\"; DROP'\n;\n"
        );
        for (sql, wanted) in [
            ("SELECT :'other'", "\"other\""),
            ("SELECT 1; COMMIT; SELECT 2", "transaction"),
            ("VACUUM", "cannot be a part"),
            ("COPY t FROM stdin;\n1\n\\.\n", "COPY"),
        ] {
            let error = with_values(sql, &values).unwrap_err();
            assert!(error.contains(wanted), "{sql}: {error}");
        }
    }
}
