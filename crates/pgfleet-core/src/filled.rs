//! SQL of the configuration (seeds, queries, declarations), filled with the values of its variables.
//!
//! Invariant: a value never changes where a statement begins or ends.

use std::collections::BTreeMap;

use pgfleet_sql::{Item, Problem, Script, Variables, read_script_given, read_script_with};

/// Replaces `:'name'`, `:"name"` and `:name` as psql does, quoted by the same rules.
///
/// # Errors
/// What is wrong with a reference: no such variable, or a value that would change where the
/// statement ends.
pub fn substitute(sql: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let script = understood(read_script_with(sql, variables.clone()))?;
    let mut out = String::with_capacity(sql.len());
    let mut at = 0;
    for item in script.items {
        let Item::Statement { range, substituted: Some(substituted) } = item else { continue };
        out.push_str(&sql[at..range.start]);
        out.push_str(&substituted.text);
        at = range.end;
    }
    out.push_str(&sql[at..]);
    Ok(out)
}

/// The statements of SQL whose values are not trusted: `:name` alone is written as a literal too.
///
/// # Errors
/// As [`substitute`], and when there is more than SQL in it.
pub fn statements_with(
    sql: &str,
    values: &BTreeMap<String, String>,
) -> Result<Vec<String>, String> {
    let script = understood(read_script_given(sql, Variables::new(), values))?;
    let statements = script.items.into_iter().map(|item| match item {
        Item::Statement { substituted: Some(there), .. } => Ok(there.text),
        Item::Statement { range, .. } => Ok(sql[range].to_owned()),
        _ => Err("it is not SQL alone; psql's commands and rows for COPY cannot be run".to_owned()),
    });
    statements.collect()
}

fn understood(script: Script) -> Result<Script, String> {
    let why = match script.problems.first() {
        None => return Ok(script),
        Some(Problem::UnsetVariable { name, .. }) => format!("no variable is called {name:?}"),
        Some(Problem::UnsafeVariable { name, .. }) => {
            format!("the value of {name:?} would change where the statement ends")
        }
        Some(Problem::Unterminated { .. }) => "a quote or comment in it is never closed".to_owned(),
        Some(_) => "it is not SQL alone".to_owned(),
    };
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> BTreeMap<String, String> {
        BTreeMap::from([("code".to_owned(), "o'x\"; DROP".to_owned())])
    }

    #[test]
    fn values_are_quoted() {
        let sql = "INSERT INTO t VALUES (:'code'); SELECT :\"code\" -- :'code'";
        let filled = "INSERT INTO t VALUES ('o''x\"; DROP'); SELECT \"o'x\"\"; DROP\" -- :'code'";
        assert_eq!(substitute(sql, &values()).unwrap(), filled);
        assert_eq!(statements_with("SELECT :code", &values()).unwrap(), ["SELECT 'o''x\"; DROP'"]);
    }

    #[test]
    fn what_cannot_be_filled_is_named() {
        for (sql, wanted) in
            [("SELECT :'other'", "no variable is called \"other\""), ("SELECT 'x", "never closed")]
        {
            assert!(substitute(sql, &values()).unwrap_err().contains(wanted), "{sql}");
            assert!(statements_with(sql, &values()).unwrap_err().contains(wanted), "{sql}");
        }
        assert!(substitute("SELECT :code", &values()).unwrap_err().contains("would change"));
        let rows = "COPY t FROM stdin;\n1\n\\.\n";
        assert!(statements_with(rows, &values()).unwrap_err().contains("COPY"));
    }
}
