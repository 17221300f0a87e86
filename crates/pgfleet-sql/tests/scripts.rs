//! psql scripts as people have them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pgfleet_sql::{Construct, Item, Problem, read_script};

fn sent(text: &str) -> Vec<String> {
    let items = read_script(text).items.into_iter();
    let sent = items.filter_map(|item| match item {
        Item::Statement { range, substituted } => {
            Some(substituted.map_or_else(|| text[range].to_owned(), |found| found.text))
        }
        Item::Copy { statement, data, .. } => Some(format!("{}{}", &text[statement], &text[data])),
        Item::Include { path, relative, .. } => Some(format!("{path} {relative}")),
        Item::Ignored { .. } => None,
    });
    sent.collect()
}

#[test]
fn commands_without_effect_are_accepted() {
    let text = "\\set ON_ERROR_STOP on\n\\echo 'x;'\n\\timing\n\\pset null -\n\\restrict k\n\\encoding utf8\nSELECT 1;\n\\o\n\\unrestrict k\n";
    assert_eq!(sent(text), ["SELECT 1;"]);
    assert_eq!(read_script(text).problems, []);
}

#[test]
fn dangerous_commands_are_refused_with_a_reason() {
    let text = "\\c other\n\\! rm x\n\\gexec\n\\if 1\n\\copy t from 'x'\n\\nonsense\n\\encoding latin1\n\\o file\n";
    let problems = read_script(text).problems;
    let mut commands = Vec::new();
    for problem in problems {
        let Problem::Refused { command, reason, fix, range } = problem else {
            panic!("{problem:?}")
        };
        assert!(!reason.is_empty() && !fix.is_empty() && text[range].starts_with('\\'));
        commands.push(command);
    }
    assert_eq!(commands, ["c", "!", "gexec", "if", "copy", "nonsense", "encoding", "o"]);
}

#[test]
fn backslashes_inside_quotes_are_no_commands() {
    let text = "SELECT '\\c x', $$\n\\connect y\n$$; -- \\q\n";
    assert_eq!(read_script(text).problems, []);
    assert_eq!(sent(text).len(), 1);
}

#[test]
fn variables_are_substituted_and_map_back() {
    let text =
        "\\set t users\n\\set v 'it''s'\nSELECT :'v', :\"t\", a::int, b[1:2] FROM :t WHERE :unset;";
    let script = read_script(text);
    let Some(Item::Statement { substituted: Some(found), .. }) = script.items.last() else {
        panic!("{script:?}")
    };
    assert_eq!(found.text, "SELECT 'it''s', users, a::int, b[1:2] FROM users WHERE :unset;");
    let place = found.text.find("WHERE").unwrap();
    assert_eq!(&text[found.original(place)..][..5], "WHERE");
    assert_eq!(script.problems, []);
}

#[test]
fn variables_that_break_a_statement_are_problems() {
    let script = read_script("\\set x '1; DROP TABLE a'\nSELECT :x, :'y';");
    let kinds = script.problems.iter().map(|problem| match problem {
        Problem::UnsafeVariable { name, .. } => format!("unsafe {name}"),
        Problem::UnsetVariable { name, .. } => format!("unset {name}"),
        other => format!("{other:?}"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["unsafe x", "unset y"]);
}

#[test]
fn copy_data_and_includes_are_items() {
    assert_eq!(
        sent("COPY t FROM stdin;\n1\n\\.\n\\i a.sql\n\\ir 'b c.sql'\n"),
        ["COPY t FROM stdin;1\n", "a.sql false", "b c.sql true"]
    );
    let two = "COPY a FROM stdin; COPY b FROM stdin;\n1\n\\.\n2\n\\.\n";
    assert_eq!(sent(two), ["COPY a FROM stdin;1\n", "COPY b FROM stdin;2\n"]);
    assert_eq!(read_script(two).problems, []);
}

#[test]
fn what_is_left_open_is_named_with_its_place() {
    let problem = |text: &str| read_script(text).problems.into_iter().next();
    let unterminated = |construct, opened_at| Some(Problem::Unterminated { construct, opened_at });
    assert_eq!(problem("SELECT 'a;"), unterminated(Construct::String, 7));
    assert_eq!(problem("SELECT \"a;"), unterminated(Construct::Identifier, 7));
    assert_eq!(problem("DO $x$ a;"), unterminated(Construct::DollarString("$x$".into()), 3));
    assert_eq!(problem("SELECT (1;"), unterminated(Construct::Parenthesis, 7));
    assert_eq!(problem("/* a"), unterminated(Construct::Comment, 0));
    assert_eq!(
        problem("COPY t FROM stdin;\n1\n"),
        Some(Problem::CopyWithoutEnd { statement: 0..18 })
    );
}
