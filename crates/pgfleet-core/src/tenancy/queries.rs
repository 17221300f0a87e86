//! Statements that touch tenant tables without the tenant column: in SQL, and in string literals of
//! source files.
//!
//! Invariant: a literal counts as SQL only when PostgreSQL's grammar takes it, once what the program
//! puts in is replaced.

use std::ops::Range;

use pgfleet_sql::restriction::unrestricted;
use pgfleet_sql::{LineIndex, PieceKind, QualifiedName, split, syntax};
use serde::Serialize;

use super::Tenancy;
use crate::place::Place;

/// A statement that touches tenant tables without restricting them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unrestricted {
    /// The tables.
    pub tables: Vec<String>,
    /// The statement, white space reduced.
    pub statement: String,
    /// Where it stands, when it comes from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How often it was run, when the server counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
}

/// Whose rules string literals follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The file is SQL.
    Sql,
    /// `"…"`, `'…'` and `` `…` `` with `${…}`; TypeScript and JavaScript.
    Script,
    /// `"…"`, `'…'`, and three of them for several lines; Python.
    Python,
    /// `"…"`, `'…'`, and `<<~NAME` or `<<<NAME` up to a line `NAME`; Ruby and PHP.
    Heredoc,
}

impl Language {
    /// By the ending of a file's name.
    pub fn of_file(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
        match ending.as_str() {
            "sql" => Some(Self::Sql),
            "ts" | "js" | "tsx" | "jsx" | "mts" | "cts" | "mjs" | "cjs" => Some(Self::Script),
            "py" => Some(Self::Python),
            "rb" | "php" => Some(Self::Heredoc),
            _ => None,
        }
    }
}

/// Looks at one statement.
pub fn in_statement(tenancy: &Tenancy, sql: &str) -> Option<Unrestricted> {
    let is_tenant_table = |name: &QualifiedName| {
        tenancy.tables.iter().any(|table| {
            table.name.name == name.name
                && name
                    .schema
                    .as_ref()
                    .is_none_or(|schema| Some(schema) == table.name.schema.as_ref())
        })
    };
    let tables = unrestricted(sql, &tenancy.column, &is_tenant_table);
    if tables.is_empty() {
        return None;
    }
    let tables = tables.iter().map(ToString::to_string).collect();
    let statement = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(Unrestricted { tables, statement, place: None, calls: None })
}

/// Looks at the statements of a source file.
pub fn in_source(
    tenancy: &Tenancy,
    language: Language,
    file: &str,
    text: &str,
) -> Vec<Unrestricted> {
    let lines = LineIndex::new(text);
    let place = |offset: usize| {
        let at = lines.position(offset);
        Some(Place::at(file, at.line, at.column))
    };
    let mut found = Vec::new();
    if language == Language::Sql {
        for piece in split(text).into_iter().filter(|piece| piece.kind == PieceKind::Statement) {
            if !is_query(&text[piece.range.clone()]) {
                for (offset, sql) in in_bodies(text, piece.range.clone()) {
                    let one = in_statement(tenancy, sql);
                    found.extend(one.map(|one| Unrestricted { place: place(offset), ..one }));
                }
                continue;
            }
            let one = in_statement(tenancy, &text[piece.range.clone()]);
            found.extend(one.map(|one| Unrestricted { place: place(piece.range.start), ..one }));
        }
        return found;
    }
    for (offset, literal) in literals(language, text) {
        let Some(sql) = as_sql(&literal) else { continue };
        let one = in_statement(tenancy, &sql);
        found.extend(one.map(|one| Unrestricted { place: place(offset), ..one }));
    }
    found
}

/// What may be queries in the bodies of a statement that makes a function, with their offsets: in each of
/// a body's statements, from the first word on that begins one.
fn in_bodies(text: &str, statement: Range<usize>) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = statement;
    while let Some((body, tag)) = dollar_quoted(&text[rest.clone()]) {
        let (start, end) = (rest.start + body.start, rest.start + body.end);
        let body = &text[start..end];
        for piece in split(body).into_iter().filter(|piece| piece.kind == PieceKind::Statement) {
            let sql = &body[piece.range.clone()];
            if let Some(at) = first_query(sql) {
                found.push((start + piece.range.start + at, &sql[at..]));
            }
        }
        rest.start = end + tag;
    }
    found
}

/// What stands between the first `$tag$` and its like, and how long that is.
fn dollar_quoted(text: &str) -> Option<(Range<usize>, usize)> {
    text.match_indices('$').find_map(|(open, _)| {
        let name = text[open + 1..].find('$')?;
        let plain = |c: char| c.is_alphanumeric() || c == '_';
        let (start, tag) = (open + name + 2, name + 2);
        let is_tag = text[open + 1..start - 1].chars().all(plain);
        let length = is_tag.then(|| text[start..].find(&text[open..start])).flatten()?;
        Some((start..start + length, tag))
    })
}

fn first_query(sql: &str) -> Option<usize> {
    let starts = sql.char_indices().filter(|(at, c)| {
        let before = sql[..*at].chars().next_back();
        c.is_ascii_alphabetic() && before.is_none_or(|b| !b.is_alphanumeric() && b != '_')
    });
    starts.map(|(at, _)| at).find(|at| is_query(&sql[*at..]))
}

fn is_query(sql: &str) -> bool {
    let first =
        sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let commands = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE"];
    commands.iter().any(|command| first.eq_ignore_ascii_case(command))
}

/// The literal as SQL, when it is some.
fn as_sql(literal: &str) -> Option<String> {
    if !is_query(literal) {
        return None;
    }
    let sql = without_placeholders(literal);
    syntax::errors(&sql).is_empty().then_some(sql)
}

/// `${…}`, `#{…}`, `{…}`, `:name`, `?`, `%s` and `%(name)s` become `$1`.
fn without_placeholders(text: &str) -> String {
    let mut sql = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let taken = placeholder(rest, sql.ends_with(':'));
        match taken {
            Some(length) => {
                sql.push_str("$1");
                rest = &rest[length..];
            }
            None => {
                sql.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    sql
}

fn placeholder(text: &str, after_colon: bool) -> Option<usize> {
    let word = |from: usize| {
        let name = text.get(from..)?;
        let length = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
        (length > 0 && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(from + length)
    };
    if text.starts_with("${") || text.starts_with("#{") || text.starts_with('{') {
        return text.find('}').map(|end| end + 1);
    }
    if text.starts_with("%s") || text.starts_with("%d") {
        return Some(2);
    }
    if text.starts_with("%(") {
        return text.find(")s").map(|end| end + 2);
    }
    if text.starts_with(':') && !after_colon && !text.starts_with("::") {
        return word(1);
    }
    text.starts_with('?').then_some(1)
}

/// String literals with the offset of their content, escapes resolved as far as SQL needs it.
fn literals(language: Language, text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        if let Some(length) = comment(language, rest) {
            at += length;
        } else if let Some((skip, close)) = opening(language, rest) {
            let (content, length) = content(&rest[skip..], &close);
            found.push((at + skip, content));
            at += skip + length;
        } else {
            at += next.len_utf8();
        }
    }
    found
}

fn comment(language: Language, rest: &str) -> Option<usize> {
    let line = |rest: &str| rest.find('\n').unwrap_or(rest.len());
    let is_line = match language {
        Language::Python => rest.starts_with('#'),
        Language::Heredoc => rest.starts_with('#') || rest.starts_with("//"),
        _ => rest.starts_with("//"),
    };
    if is_line {
        return Some(line(rest));
    }
    let block = language != Language::Python && rest.starts_with("/*");
    block.then(|| rest.find("*/").map_or(rest.len(), |end| end + 2))
}

/// How a literal that begins here opens, and what closes it.
fn opening(language: Language, rest: &str) -> Option<(usize, String)> {
    if language == Language::Python {
        for quotes in ["\"\"\"", "'''"] {
            if rest.starts_with(quotes) {
                return Some((3, quotes.to_owned()));
            }
        }
    }
    if language == Language::Script && rest.starts_with('`') {
        return Some((1, "`".to_owned()));
    }
    if language == Language::Heredoc && rest.starts_with("<<") {
        let name = rest.trim_start_matches(['<', '~', '-', '"', '\'', ' ']);
        let length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        let body = rest.find('\n')? + 1;
        return (length > 0).then(|| (body, format!("\n{}", &name[..length])));
    }
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some((1, quote.to_string()))
}

/// The content up to its closing, and the length with it. A one-line literal ends with its line.
fn content(rest: &str, close: &str) -> (String, usize) {
    let mut content = String::new();
    let mut at = 0;
    let one_line = matches!(close, "\"" | "'");
    while let Some(next) = rest.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(after) = rest[at..].strip_prefix(close) {
            let indented = close.starts_with('\n');
            let _ = after;
            return (content, at + if indented { 1 } else { close.len() });
        }
        if close.starts_with('\n')
            && next == '\n'
            && rest[at + 1..].trim_start().starts_with(&close[1..])
        {
            return (content, at + 1);
        }
        if next == '\n' && one_line {
            return (content, at);
        }
        if next == '\\' {
            let escaped = rest[at + 1..].chars().next();
            content.push(match escaped {
                Some('n' | 't' | 'r' | '\n') | None => ' ',
                Some(other) => other,
            });
            at += 1 + escaped.map_or(0, char::len_utf8);
            continue;
        }
        content.push(next);
        at += next.len_utf8();
    }
    (content, rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenancy::TenancySection;

    fn found(language: Language, text: &str) -> Vec<(u32, String)> {
        let section = "column = 'org'\ntype = 'int'\nconstant = 1\ntables = ['messages', 'users']";
        let tenancy = toml::from_str::<TenancySection>(section).unwrap().read("public").unwrap();
        let found = in_source(&tenancy, language, "a", text);
        found.into_iter().map(|one| (one.place.unwrap().line, one.tables.join(" "))).collect()
    }

    #[test]
    fn sql_in_source_files_is_looked_at() {
        let script = "// 'SELECT * FROM users'\nconst a = `SELECT * FROM messages\n WHERE id = ${id}`;\n\
            db.query('SELECT * FROM users WHERE org = :org');\nlog('Select one of the users');\n\
            db.query(\"DELETE FROM users WHERE name = 'it''s'\");";
        assert_eq!(
            found(Language::Script, script),
            [(2, "messages".to_owned()), (6, "users".to_owned())]
        );
        let python = "# \"SELECT * FROM users\"\ncur.execute(\"\"\"\n  UPDATE users SET a = %s\n  WHERE id = %(id)s\"\"\")\n";
        assert_eq!(found(Language::Python, python), [(2, "users".to_owned())]);
        let ruby = "sql = <<~SQL\n  SELECT count(*) FROM messages\n  WHERE x = #{x}\n  SQL\nq 'SELECT 1'\n";
        assert_eq!(found(Language::Heredoc, ruby), [(2, "messages".to_owned())]);
        let sql = "CREATE TABLE users (id int);\nSELECT * FROM users;\nSELECT * FROM users WHERE org = 1;";
        assert_eq!(found(Language::Sql, sql), [(2, "users".to_owned())]);
        let body = "CREATE FUNCTION f(int) RETURNS int LANGUAGE plpgsql AS $f$\nDECLARE n int;\nBEGIN\n  \
            IF $1 > 0 THEN\n    UPDATE users SET a = 1 WHERE id = $1;\n  END IF;\n  \
            SELECT count(*) INTO n FROM messages WHERE org = $1;\n  RETURN QUERY SELECT * FROM messages;\nEND $f$;\n\
            DO $$ BEGIN PERFORM 1; DELETE FROM users; END $$;";
        let users = |line: u32| (line, "users".to_owned());
        assert_eq!(found(Language::Sql, body), [users(5), (8, "messages".to_owned()), users(10)]);
    }
}
