//! What the comment `-- pgfleet: batches …` above an `UPDATE` or `DELETE` asks for.
//!
//! Invariant: other tools see a comment and run the statement in one go, with the same result.

use pgfleet_sql::{QualifiedName, RowChange, parse_qualified};
use serde::{Deserialize, Serialize};

use crate::diagnose::closest_name;

/// Rows of the first batch unless the comment says otherwise.
const ROWS_DEFAULT: u64 = 2_000;
/// How long a batch should take: long enough to be cheap, short enough for who waits for its rows.
const TIME_DEFAULT_MS: u64 = 150;
/// How far replicas may fall behind before a run waits for them.
const LAG_DEFAULT_BYTES: u64 = 64 << 20;
/// The longest pause or batch that makes sense.
const LONGEST_MS: u64 = 600_000;

/// How a statement is cut into transactions by ranges of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// Columns of a unique key, in any order; empty for the table's own choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Go by the place of rows on disk, for tables without a key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_place: bool,
    /// Rows of the first batch; later ones adapt to `time_ms`.
    pub size: u64,
    /// Pause between batches.
    pub pause_ms: u64,
    /// How long a batch should take.
    pub time_ms: u64,
    /// How far replicas may fall behind.
    pub lag_bytes: u64,
}

/// The word behind `-- pgfleet:` that this module understands.
const WORD: &str = "batches";
/// All words that mean something there, in a migration.
pub(crate) const WORDS: &[&str] = &[WORD, "if"];
/// What may stand behind [`WORD`].
const NAMES: &[&str] = &["table", "key", "size", "pause", "time", "lag"];

/// What stands behind `-- pgfleet: batches` above a statement, see [`behind`].
pub(crate) fn annotation(above: &str) -> Option<(usize, &str)> {
    behind(WORD, above)
}

/// The condition behind `-- pgfleet: if` above a statement, see [`behind`].
pub(crate) fn condition(above: &str) -> Option<&str> {
    behind("if", above).map(|(_, condition)| condition)
}

/// A line `-- pgfleet: …` directly above a statement whose word means nothing, with its byte offset.
pub(crate) fn unknown(above: &str) -> Option<(usize, String)> {
    let mut found = None;
    find_above(above, |at, asked| {
        let word = asked.split_whitespace().next().unwrap_or_default();
        if !WORDS.contains(&word) {
            found = Some((at, not_a_word(word)));
        }
        found.is_some()
    });
    found
}

fn not_a_word(word: &str) -> String {
    let short: String = word.chars().take(40).collect();
    let meant = closest_name(&short, WORDS.iter().copied());
    match meant {
        Some(meant) => format!("there is no \"-- pgfleet: {short}\"; perhaps \"{meant}\" is meant"),
        None => format!("there is no \"-- pgfleet: {short}\"; there are {}", WORDS.join(" and ")),
    }
}

/// What stands behind `-- pgfleet: word` in one of the comment lines directly above a statement, with
/// its byte offset; `above` is the text between the statement before and this one.
fn behind<'text>(word: &str, above: &'text str) -> Option<(usize, &'text str)> {
    let mut found = None;
    find_above(above, |at, asked| {
        if let Some(rest) = asked.strip_prefix(word)
            && (rest.is_empty() || rest.starts_with(char::is_whitespace))
        {
            found = Some((at, rest.trim()));
        }
        found.is_some()
    });
    found
}

/// Shows what stands behind `-- pgfleet:` in the comment lines directly above a statement, the last
/// line first, until it is enough.
fn find_above<'text>(above: &'text str, mut is_enough: impl FnMut(usize, &'text str) -> bool) {
    let mut end = above.trim_end().len();
    loop {
        let start = above[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = above[start..end].trim();
        let Some(comment) = line.strip_prefix("--").map(str::trim_start) else { return };
        let indent = above[start..end].len() - above[start..end].trim_start().len();
        if let Some(asked) = comment.strip_prefix("pgfleet:")
            && is_enough(start + indent, asked.trim_start())
        {
            return;
        }
        let Some(before) = start.checked_sub(1) else { return };
        end = above[..before].trim_end_matches([' ', '\t', '\r']).len();
    }
}

/// Understands an annotation of a statement.
///
/// # Errors
/// Why it cannot be meant.
pub(crate) fn parse(text: &str, sql: &str) -> Result<Batches, String> {
    let change = RowChange::parse(sql)
        .map_err(|why| format!("the statement below cannot be run in batches: {why}"))?;
    let mut batches = Batches {
        key: Vec::new(),
        by_place: false,
        size: ROWS_DEFAULT,
        pause_ms: 0,
        time_ms: TIME_DEFAULT_MS,
        lag_bytes: LAG_DEFAULT_BYTES,
    };
    for word in split_outside_quotes(text, char::is_whitespace) {
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| format!("{word:?} is not of the form name=value"))?;
        batches.set(key, value, &change)?;
    }
    batches.check(&change)?;
    Ok(batches)
}

impl Batches {
    fn set(&mut self, key: &str, value: &str, change: &RowChange) -> Result<(), String> {
        match key {
            "table" => check_table(value, change)?,
            "key" if value == "ctid" => self.by_place = true,
            "key" => self.key = names(value)?,
            "size" => self.size = number(key, value)?,
            "pause" => self.pause_ms = duration_ms(key, value)?,
            "time" => self.time_ms = duration_ms(key, value)?.max(1),
            "lag" => self.lag_bytes = bytes(key, value)?,
            _ => {
                let meant = closest_name(key, NAMES.iter().copied());
                let meant = meant.map(|name| format!(" ({name}?)")).unwrap_or_default();
                let known = "table, key, size, pause, time and lag";
                return Err(format!("{key:?} is not known{meant}; there are {known}"));
            }
        }
        Ok(())
    }

    fn check(&self, change: &RowChange) -> Result<(), String> {
        if let Some(column) = self.key.iter().find(|column| change.sets.contains(column)) {
            return Err(format!("the statement sets {column}, by which it would be cut"));
        }
        let is_limited = change.has_condition() || change.command == "DELETE";
        if self.by_place && !is_limited {
            let why =
                "rows move when they are changed, so a WHERE must leave out those that are done";
            return Err(format!("key=ctid needs one: {why}"));
        }
        Ok(())
    }
}

fn check_table(value: &str, change: &RowChange) -> Result<(), String> {
    let named = parse_qualified(value).ok_or_else(|| format!("{value} is no table's name"))?;
    let same_schema = match (&named.schema, &change.table.schema) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    };
    if named.name == change.table.name && same_schema {
        return Ok(());
    }
    Err(format!("table={value}, but the statement changes {}", change.table))
}

fn names(value: &str) -> Result<Vec<String>, String> {
    let bare = |part: &str| match parse_qualified(part) {
        Some(QualifiedName { schema: None, name }) => Ok(name),
        _ => Err(format!("{part:?} is no column's name")),
    };
    split_outside_quotes(value, |c| c == ',').into_iter().map(bare).collect()
}

fn number(key: &str, value: &str) -> Result<u64, String> {
    let number = value.replace('_', "").parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{key}={value} is not a number of rows"))
}

fn duration_ms(key: &str, value: &str) -> Result<u64, String> {
    let parsed = match value.strip_suffix("ms") {
        Some(number) => number.parse().ok(),
        None => {
            value.strip_suffix('s').and_then(|number| number.parse::<u64>().ok()?.checked_mul(1000))
        }
    };
    let parsed = parsed.filter(|ms| *ms <= LONGEST_MS);
    parsed.ok_or_else(|| {
        format!("{key}={value} is not a time such as 50ms or 2s, 10 minutes at most")
    })
}

fn bytes(key: &str, value: &str) -> Result<u64, String> {
    let units = [("kB", 10), ("MB", 20), ("GB", 30)];
    let parsed = units.iter().find_map(|(unit, shift)| {
        value.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(1 << shift)
    });
    parsed.ok_or_else(|| format!("{key}={value} is not an amount such as 64MB"))
}

/// Parts between separators that stand in no `"…"`; empty ones are left out.
fn split_outside_quotes(text: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let mut quoted = false;
    let parts = text.split(|c| {
        quoted ^= c == '"';
        !quoted && separates(c)
    });
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_stands_in_the_comments_above() {
        for (above, found) in [
            ("\n-- pgfleet: batches key=id\n", Some((1, "key=id"))),
            ("a;\n  --pgfleet:batches\n-- more words\n  ", Some((5, ""))),
            ("-- pgfleet: batches\n\n", Some((0, ""))),
            ("-- pgfleet: batches\n\n-- other\n", None),
            ("-- pgfleet: batchesize\n", None),
            ("/*\n-- pgfleet: batches\n*/\n", None),
            ("", None),
        ] {
            assert_eq!(annotation(above), found, "{above:?}");
        }
    }

    #[test]
    fn a_word_that_means_nothing_is_seen() {
        for (above, said) in [
            (
                "\n-- pgfleet: batchs key=id\n-- pgfleet: if SELECT true\n",
                Some((1, "\"batches\" is meant")),
            ),
            ("-- pgfleet: Batches\n", Some((0, "\"batches\" is meant"))),
            ("-- pgfleet: \n", Some((0, "there are batches and if"))),
            ("-- pgfleet: transaction off\n", Some((0, "there are batches and if"))),
            ("-- pgfleet: batches\n", None),
            ("-- see pgfleet: batch\n-- pgfleet-lint-ignore x y\n", None),
            ("-- pgfleet: batchs\n\n-- far away\n", None),
        ] {
            let found = unknown(above);
            assert_eq!(found.is_some(), said.is_some(), "{above:?}: {found:?}");
            if let (Some((at, why)), Some((wanted, part))) = (found, said) {
                assert!(at == wanted && why.contains(part), "{above:?}: {at} {why}");
            }
        }
    }

    #[test]
    fn values_are_read_and_refused() {
        let sql = "UPDATE s.\"T\" SET a = 1 WHERE a IS NULL";
        let text = "table=\"T\" key=\"Id one\",b size=5_000 pause=50ms time=1s lag=1GB";
        let read = parse(text, sql).unwrap();
        assert_eq!(read.key, ["Id one", "b"]);
        assert_eq!((read.size, read.pause_ms, read.time_ms), (5000, 50, 1000));
        assert_eq!(read.lag_bytes, 1 << 30);
        assert!(parse("key=ctid", sql).unwrap().by_place);
        for (text, why) in [
            ("table=x", "changes s.\"T\""),
            ("size=0", "not a number"),
            ("size", "form name=value"),
            ("pause=5", "not a time"),
            ("lag=5", "not an amount"),
            ("key=a", "sets a"),
            ("speed=9", "\"speed\" is not known"),
            ("key=a.b", "no column"),
        ] {
            let said = parse(text, sql).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(parse("key=ctid", "UPDATE t SET a = 1").is_err());
        assert!(parse("", "UPDATE t SET a = 1 RETURNING 1").unwrap_err().contains("RETURNING"));
    }
}
