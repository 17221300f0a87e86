//! Puts a script into a database, statement by statement.

use pgfleet_sql::{PieceKind, split};
use pgfleet_testkit::TestDb;

/// Runs a script in which statements about roles may fail: roles belong to the whole cluster, and
/// an earlier script may have made them.
pub(super) fn load(database: &TestDb, text: &str) -> Result<(), String> {
    let pieces = split(text);
    let statements = pieces.iter().filter(|piece| piece.kind == PieceKind::Statement);
    let (roles, rest): (Vec<&str>, Vec<&str>) =
        statements.map(|piece| &text[piece.range.clone()]).partition(|sql| is_about_roles(sql));
    for statement in roles {
        // What it says of a role that is there already is of no interest.
        let _ = database.try_sql(statement);
    }
    let joined = rest.join(";\n");
    database.try_sql(&format!("SET client_min_messages = warning;\n{joined}"))
}

fn is_about_roles(sql: &str) -> bool {
    let code = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let words: Vec<String> = code
        .flat_map(str::split_whitespace)
        .take(2)
        .map(|word| word.to_ascii_uppercase())
        .collect();
    let [verb, what] = words.as_slice() else { return false };
    let is_role = matches!(what.as_str(), "ROLE" | "USER" | "GROUP");
    is_role && matches!(verb.as_str(), "CREATE" | "ALTER" | "DROP")
}
