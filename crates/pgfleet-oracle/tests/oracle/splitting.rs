//! Statement boundaries.

use super::*;
use pg_query::Error;

#[test]
fn statement_boundaries_are_postgres_own() {
    with_deep_stack(|| {
        let (mut statements, mut failing, mut files, mut differences) = (0, 0, 0, Vec::new());
        for (path, text) in scripts() {
            let outcome = compare(&text);
            files += 1;
            statements += outcome.statements;
            failing += outcome.failing;
            differences.extend(outcome.differences.iter().map(|what| format!("{path:?}: {what}")));
        }
        println!("{files} files, {statements} statements equal, {failing} refused by both ways");
        assert!(
            differences.is_empty(),
            "{}\n{} differences",
            differences.join("\n"),
            differences.len()
        );
    });
}

#[derive(Default)]
struct Outcome {
    statements: usize,
    failing: usize,
    differences: Vec<String>,
}

fn compare(text: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let mut sql = sanitize::sql_only(text);
    let mut ours = our_statements(text);
    ours.retain(|range| {
        let Some(message) = refusal(&sql[range.clone()]) else { return true };
        outcome.failing += 1;
        outcome.differences.extend(wrong_cut(&sql[range.clone()], &message));
        let mut bytes = std::mem::take(&mut sql).into_bytes();
        sanitize::blank(&mut bytes[range.clone()]);
        sql = String::from_utf8(bytes).unwrap();
        false
    });
    match pg_query::split_with_parser(&sql) {
        Ok(theirs) => compare_statements(&sql, &ours, &theirs, &mut outcome),
        Err(Error::Split(message)) => outcome.differences.push(message),
        Err(other) => outcome.differences.push(format!("{other:?}")),
    }
    outcome
}

fn compare_statements(sql: &str, ours: &[Range<usize>], theirs: &[&str], outcome: &mut Outcome) {
    let place = |part: &str| part.as_ptr() as usize - sql.as_ptr() as usize;
    let mut expected = theirs.iter().map(|part| {
        let kept = our_statements_trimmed(part);
        (place(part) + kept.start, place(part) + kept.end)
    });
    for range in ours {
        let end = range.end - usize::from(sql[range.clone()].ends_with(';'));
        let text = sql[range.start..end].trim_end();
        let found = our_statements_trimmed(text);
        let mine = (range.start + found.start, range.start + found.end);
        match expected.next() {
            Some(their) if their == mine => outcome.statements += 1,
            their => {
                let shown = their.map(|(start, end)| &sql[start..end]);
                outcome.differences.push(format!("ours {text:?}\n  theirs {shown:?}"));
                return;
            }
        }
    }
    if let Some((start, end)) = expected.next() {
        outcome.differences.push(format!("theirs only: {:?}", &sql[start..end]));
    }
}

/// Where the SQL is in a text that may have comments around it.
fn our_statements_trimmed(text: &str) -> Range<usize> {
    let mut pieces = split(text).into_iter().filter(|piece| piece.kind != PieceKind::Trivia);
    let first = pieces.next().map_or(0..text.len(), |piece| piece.range);
    let last = pieces.next_back().map_or(first.end, |piece| piece.range.end);
    first.start..last
}

fn refusal(statement: &str) -> Option<String> {
    match pg_query::parse(statement, pg_query::ParserOptions::default()) {
        Ok(_) => None,
        Err(Error::Parse(message)) => Some(message),
        Err(other) => Some(format!("{other:?}")),
    }
}

/// A refused statement is cut too early when its semicolon was welcome and more is expected, and too
/// late when libpg_query's scanner finds a semicolon in it outside parentheses.
fn wrong_cut(statement: &str, message: &str) -> Option<String> {
    if statement.ends_with(';') && message.contains("at end of input") {
        return Some(format!("cut too early: {statement:?}: {message}"));
    }
    let parts = pg_query::split_with_scanner(statement).map_or(1, |parts| parts.len());
    (parts > 1).then(|| format!("cut too late: {statement:?}: {message}"))
}
