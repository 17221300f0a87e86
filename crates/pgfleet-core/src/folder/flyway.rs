//! Flyway folders: `V`, `U`, `R` and `B` files, in any depth of directories.
//!
//! Invariant: versions compare by the numbers between their dots, and the checksum is Flyway's
//! CRC-32 over the lines. Source: `ResourceNameParser.java`, `MigrationVersion.java`,
//! `ChecksumCalculator.java`, `PlaceholderReplacingReader.java` and `SqlScriptMetadata.java` of
//! flyway/flyway.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use pgfleet_sql::{LineIndex, RowsElsewhere};

use super::reading::{Reading, base_name};
use super::{
    FileTree, FolderOptions, Format, Migration, MigrationKind, MigrationSet, SqlBody,
    TransactionMode,
};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// Reads a Flyway location.
pub fn read(tree: &FileTree, options: &FolderOptions) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Flyway);
    let mut undo = BTreeMap::new();
    for path in reading.paths() {
        match parse_name(path) {
            Some(Name { prefix: Prefix::Undo, version, .. }) => {
                undo.insert(version, path);
            }
            Some(name) => read_file(&mut reading, path, &name, options),
            None => place_settings(&mut reading, path),
        }
    }
    for (version, path) in undo {
        attach_undo(&mut reading, &version, path, options);
    }
    reading.finish(order)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    Versioned,
    Undo,
    Repeatable,
    Baseline,
}

/// What a file's name says.
struct Name {
    prefix: Prefix,
    /// Canonical, or `R__description`.
    version: String,
    description: String,
}

fn parse_name(path: &str) -> Option<Name> {
    let stem = base_name(path);
    let stem = stem.get(..stem.len().checked_sub(4)?).filter(|_| ends_with_sql(path))?;
    let mut letters = stem.chars();
    let prefix = match letters.next()? {
        'V' => Prefix::Versioned,
        'U' => Prefix::Undo,
        'R' => Prefix::Repeatable,
        'B' => Prefix::Baseline,
        _ => return None,
    };
    let (version, description) =
        letters.as_str().split_once("__").unwrap_or((letters.as_str(), ""));
    let description = description.replace('_', " ");
    let version = match prefix {
        Prefix::Repeatable if version.is_empty() => format!("R__{}", description.replace(' ', "_")),
        Prefix::Repeatable => return None,
        _ => canonical_version(version)?,
    };
    Some(Name { prefix, version, description })
}

fn ends_with_sql(path: &str) -> bool {
    path.get(path.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(".sql"))
}

/// The version in the form in which equal versions are equal texts: `1_0` and `01` are `1`.
pub fn canonical_version(version: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in version.split(['_', '.']) {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = part.trim_start_matches('0');
        parts.push(if digits.is_empty() { "0" } else { digits });
    }
    while parts.len() > 1 && parts.last() == Some(&"0") {
        parts.pop();
    }
    Some(parts.join("."))
}

/// The version as Flyway records it: as in the file's name, with dots.
pub fn raw_version(path: &str) -> Option<String> {
    let name = base_name(path);
    let stem = name.get(..name.len().checked_sub(4)?)?.get(1..)?;
    let version = stem.split_once("__").map_or(stem, |(version, _)| version);
    Some(version.replace('_', "."))
}

fn order(a: &Migration, b: &Migration) -> Ordering {
    let repeatable = |migration: &Migration| migration.kind == MigrationKind::Repeatable;
    match (repeatable(a), repeatable(b)) {
        (true, true) => a.name.cmp(&b.name),
        (false, false) => {
            let baseline_first = |m: &Migration| m.kind != MigrationKind::Baseline;
            compare_versions(&a.version, &b.version)
                .then_with(|| baseline_first(a).cmp(&baseline_first(b)))
                .then_with(|| a.file.cmp(&b.file))
        }
        (late, _) => late.cmp(&false).then(Ordering::Less),
    }
}

/// Canonical versions, part by part; a missing part is zero.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let number = |part: Option<&str>| part.unwrap_or("0").trim_start_matches('0').to_owned();
    let (mut left, mut right) = (a.split('.'), b.split('.'));
    loop {
        let (x, y) = (left.next(), right.next());
        if x.is_none() && y.is_none() {
            return Ordering::Equal;
        }
        let (x, y) = (number(x), number(y));
        let ordering = x.len().cmp(&y.len()).then_with(|| x.cmp(&y));
        if ordering.is_ne() {
            return ordering;
        }
    }
}

fn read_file(reading: &mut Reading<'_>, path: &str, name: &Name, options: &FolderOptions) {
    let settings = Settings::of(reading, path);
    let Some((up, checksum)) = read_script(reading, path, &settings, options) else { return };
    let mut migration = reading.migration(&name.version, &name.description, path, up);
    migration.kind = match name.prefix {
        Prefix::Repeatable => MigrationKind::Repeatable,
        Prefix::Baseline => MigrationKind::Baseline,
        Prefix::Versioned | Prefix::Undo => MigrationKind::Versioned,
    };
    migration.checksum = Some(checksum.to_string());
    migration.transaction = settings.transaction;
    reading.migrations.push(migration);
}

fn attach_undo(reading: &mut Reading<'_>, version: &str, path: &str, options: &FolderOptions) {
    let settings = Settings::of(reading, path);
    let Some((body, _)) = read_script(reading, path, &settings, options) else { return };
    let mut migrations = reading.migrations.iter_mut();
    match migrations.find(|m| m.version == version && m.kind == MigrationKind::Versioned) {
        Some(migration) => migration.down = Some(body),
        None => {
            let shown = reading.tree.display(path);
            let what = format!("{shown} takes back a version that is not there");
            let problem = Problem::warning(Code::FileUnplaced, what).at(Place::file(shown));
            reading.problems.push(problem);
        }
    }
}

/// A script with its placeholders filled in, and the checksum of the file as it is.
fn read_script(
    reading: &mut Reading<'_>,
    path: &str,
    settings: &Settings,
    options: &FolderOptions,
) -> Option<(SqlBody, i32)> {
    let body = reading.body(path)?;
    let text: String = body.chunks.into_iter().map(|chunk| chunk.sql).collect();
    let crc = reading.large(path).map_or_else(|| checksum(&text), |large| large.lines_crc32);
    let shown = reading.tree.display(path);
    if settings.placeholders {
        refuse_placeholders_in_rows(reading, &text, &shown);
    }
    if !settings.placeholders || !text.contains("${") {
        return Some((SqlBody::verbatim(text, Place::at(shown, 1, 1)), crc));
    }
    let (filled, unknown) = fill_placeholders(&text, &options.placeholders);
    let index = LineIndex::new(&text);
    for (at, name) in unknown {
        let position = index.position(at);
        reading.problems.push(unknown_placeholder(
            &name,
            Place::at(shown.clone(), position.line, position.column),
        ));
    }
    let mut body = SqlBody::verbatim(filled, Place::at(shown, 1, 1));
    body.chunks
        .iter_mut()
        .for_each(|chunk| chunk.verbatim = chunk.sql.lines().count() == text.lines().count());
    Some((body, crc))
}

/// Rows that stay in their file are sent as they are.
fn refuse_placeholders_in_rows(reading: &mut Reading<'_>, text: &str, shown: &str) {
    let lines = text.match_indices('\0').map(|(at, _)| at);
    let filled = |at: &usize| {
        RowsElsewhere::parse(text[*at..].lines().next().unwrap_or_default())
            .is_some_and(|rows| rows.has_placeholder)
    };
    for at in lines.filter(filled) {
        let line = LineIndex::new(text).position(at).line;
        reading.problems.push(
            Problem::error(Code::CodeOpaque, "rows of a COPY hold ${…}, which Flyway would fill in")
                .at(Place::at(shown, line, 1))
                .because("rows of large files are sent from the file as they stand there")
                .fix("Write placeholderReplacement=false into the script's .conf file, or fill the rows in."),
        );
    }
}

fn unknown_placeholder(name: &str, place: Place) -> Problem {
    Problem::error(Code::VariableMissing, format!("the placeholder ${{{name}}} has no value"))
        .at(place)
        .because("Flyway puts values in the place of ${…} everywhere, in strings and comments too.")
        .fix(format!("Give it a value: placeholders.{name} = \"…\" in pgfleet.toml."))
        .fix("Or write placeholderReplacement=false into the script's .conf file.")
}

/// The text with `${name}` replaced, and the names without a value with their offsets.
fn fill_placeholders(
    text: &str,
    values: &BTreeMap<String, String>,
) -> (String, Vec<(usize, String)>) {
    let value_of = |name: &str| {
        values.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    };
    let (mut filled, mut unknown, mut offset) = (String::with_capacity(text.len()), Vec::new(), 0);
    while let Some(start) = text[offset..].find("${").map(|at| at + offset) {
        let Some(end) = text[start..].find('}').map(|at| at + start) else { break };
        let name = &text[start + 2..end];
        filled.push_str(&text[offset..start]);
        match value_of(name) {
            Some(value) => filled.push_str(value),
            None => {
                filled.push_str(&text[start..=end]);
                unknown.push((start, name.to_owned()));
            }
        }
        offset = end + 1;
    }
    filled.push_str(&text[offset..]);
    (filled, unknown)
}

/// CRC-32 over the lines without their ends, as Java's `readLine` cuts them; the text comes without
/// a byte order mark, which Flyway leaves out too. Signed, as Java's `int`.
fn checksum(text: &str) -> i32 {
    let mut checksum = LineChecksum::default();
    checksum.push(text);
    checksum.finish()
}

/// The checksum of a text that comes in pieces.
#[derive(Default)]
pub(super) struct LineChecksum(crc32fast::Hasher);

impl LineChecksum {
    pub(super) fn push(&mut self, text: &str) {
        text.split(['\n', '\r']).for_each(|line| self.0.update(line.as_bytes()));
    }

    pub(super) fn finish(self) -> i32 {
        i32::from_ne_bytes(self.0.finalize().to_ne_bytes())
    }
}

/// What `NAME.sql.conf` says.
struct Settings {
    transaction: TransactionMode,
    placeholders: bool,
}

impl Settings {
    fn of(reading: &mut Reading<'_>, path: &str) -> Self {
        let file = format!("{path}.conf");
        let text = match reading.tree.files.contains_key(&file) {
            true => reading.text(&file).unwrap_or_default(),
            false => String::new(),
        };
        let is_false = |key: &str| {
            let value = text.lines().filter_map(|line| line.split_once('='));
            let mut values = value.filter(|(name, _)| name.trim() == key);
            values.next_back().is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("false"))
        };
        let in_transaction = !is_false("executeInTransaction");
        if is_false("shouldExecute") {
            report_switched_off(reading, path);
        }
        Self {
            transaction: if in_transaction {
                TransactionMode::Auto
            } else {
                TransactionMode::Never
            },
            placeholders: !is_false("placeholderReplacement"),
        }
    }
}

fn report_switched_off(reading: &mut Reading<'_>, path: &str) {
    let what = format!("{} is switched off by its .conf file", reading.tree.display(path));
    let problem = Problem::error(Code::CodeOpaque, what).at(reading.place(path));
    reading.problems.push(
        problem
            .because("pgfleet does not evaluate shouldExecute.")
            .fix("Move the script out of the folder, or remove the setting."),
    );
}

/// Settings of scripts are read with them; Java migrations are named as what they are.
fn place_settings(reading: &mut Reading<'_>, path: &str) {
    if path.ends_with(".java") || path.ends_with(".class") {
        reading.place_file(path);
        let what = format!("{} is code, which pgfleet cannot run", reading.tree.display(path));
        let problem = Problem::error(Code::CodeOpaque, what).at(reading.place(path));
        reading.problems.push(problem.fix("Run this migration with Flyway, or write it as SQL."));
    } else if let Some(script) = path.strip_suffix(".conf")
        && (reading.tree.files.contains_key(script) || !ends_with_sql(script))
    {
        reading.place_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_parts() {
        assert_eq!(canonical_version("1_0").as_deref(), Some("1"));
        assert_eq!(canonical_version("001.02.0").as_deref(), Some("1.2"));
        assert_eq!(canonical_version("1..2"), None);
        assert_eq!(canonical_version("1a"), None);
        assert_eq!(compare_versions("1.10", "1.9"), Ordering::Greater);
        assert_eq!(compare_versions("1", "1.0.1"), Ordering::Less);
        assert_eq!(raw_version("sub/V001_2__x.sql").as_deref(), Some("001.2"));
    }

    #[test]
    fn the_checksum_ignores_line_ends() {
        assert_eq!(checksum("a\nb\n"), checksum("a\r\nb"));
        assert_eq!(checksum("a\rb"), checksum("ab"));
        // The check value of CRC-32 is 0xCBF43926, as a signed number.
        assert_eq!(checksum("123456789"), -873_187_034);
    }

    #[test]
    fn placeholders_are_filled_in_any_case() {
        let values = BTreeMap::from([("Schema".to_owned(), "app".to_owned())]);
        let (text, unknown) = fill_placeholders("a ${schema}.t ${x} ${open", &values);
        assert_eq!(text, "a app.t ${x} ${open");
        assert_eq!(unknown, [(14, "x".to_owned())]);
    }
}
