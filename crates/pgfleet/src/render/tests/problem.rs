use insta::assert_snapshot;
use pgfleet_core::diagnose::{Code, Problem, Snippet};
use pgfleet_core::place::Place;

use super::{PLAIN, both};
use crate::render::{problem, problems};

fn exists() -> Problem {
    let mut problem = Problem::error(Code::ObjectExists, "relation \"users\" already exists")
        .at(Place::at("migrations/003_x.sql", 12, 14))
        .in_target("staging")
        .because(
            "the table was created by hand or by another tool: the history does not know it, and \
             what is there differs from what the migration would create",
        )
        .detail("column email: there is varchar(100), the migration has text")
        .fix("Record the migration as applied without running it:")
        .fix_with("Or drop the table, when nobody needs it:", "DROP TABLE users;\nCOMMIT;");
    problem.sqlstate = Some("42P07".into());
    problem.snippet =
        Some(Snippet { line_text: "CREATE TABLE users (".into(), column: 14, length: 5 });
    problem
}

#[test]
fn one_problem() {
    assert_snapshot!(both(|out, style| problem(out, style, &exists())));
}

#[test]
fn several_problems() {
    let list = [
        exists(),
        Problem::warning(Code::VersionGap, "004 is missing between 003 and 005"),
        Problem::note(Code::RerunUnsafe, "3 statements are not safe to run twice")
            .at(Place::file("001_a.sql")),
    ];
    assert_snapshot!(both(|out, style| problems(out, style, &list)));
}

#[test]
fn the_caret_of_a_long_line_with_tabs_and_wide_characters_stands_under_the_mark() {
    let line_text =
        format!("\tINSERT INTO 表 VALUES ({}nope{});", "'xyz', ".repeat(40), ", 1".repeat(90));
    let column = line_text.chars().position(|c| c == 'n').map(|at| at as u32 + 1).unwrap();
    let mut one = Problem::error(Code::ObjectMissing, "column \"nope\" does not exist")
        .at(Place::at("a.sql", 1234, column));
    one.snippet = Some(Snippet { line_text, column, length: 4 });
    let mut out = String::new();
    problem(&mut out, &PLAIN, &one);
    let lines: Vec<&str> = out.lines().collect();
    let caret = lines[4].find('^').unwrap();
    assert_eq!(&lines[3][caret..caret + 4], "nope", "{out}");
    assert!(lines.iter().all(|line| line.len() <= 80), "{out}");
}

#[test]
fn wide_characters_before_the_mark_are_counted_in_columns() {
    let mut one = Problem::error(Code::ObjectMissing, "x").at(Place::at("a.sql", 1, 4));
    one.snippet = Some(Snippet { line_text: "\t表 nope".into(), column: 4, length: 4 });
    let mut out = String::new();
    problem(&mut out, &PLAIN, &one);
    assert!(out.contains("1 |     表 nope\n  |        ^^^^\n"), "{out}");
}

#[test]
fn text_from_outside_cannot_colour_or_move_the_cursor() {
    let mut one = Problem::error(Code::StatementFailed, "bad \u{1b}[2J\u{7}")
        .at(Place::at("a\u{1b}[31m.sql", 1, 1))
        .in_target("t\r\u{1b}c")
        .fix_with("x", "y\u{1b}[1m");
    one.snippet = Some(Snippet { line_text: "\u{1b}]0;title\u{7}".into(), column: 1, length: 99 });
    let mut out = String::new();
    problem(&mut out, &PLAIN, &one);
    assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{out:?}");
}
