//! What every reader needs: text of files, the migrations and problems found so far, and the
//! checks that hold for every format.
//!
//! Invariant: every file of the tree ends up placed, ignored by name, or named in a problem.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use pgfleet_sql::{Encoding, LineIndex};
use sha2::{Digest, Sha256, Sha384};

use super::{
    FileTree, Format, LargeFile, Migration, MigrationKind, MigrationSet, SqlBody, TransactionMode,
};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// One reading of one tree.
pub(super) struct Reading<'tree> {
    pub(super) tree: &'tree FileTree,
    format: Format,
    pub(super) migrations: Vec<Migration>,
    pub(super) problems: Vec<Problem>,
    placed: BTreeSet<String>,
}

impl<'tree> Reading<'tree> {
    pub(super) fn new(tree: &'tree FileTree, format: Format) -> Self {
        let problems = tree.unreadable.iter().map(|(path, why)| unreadable(tree, path, why));
        let problems = problems.collect();
        Self { tree, format, migrations: Vec::new(), problems, placed: BTreeSet::new() }
    }

    /// Paths of all files, in byte order.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'tree str> + use<'tree> {
        self.tree.files.keys().map(String::as_str)
    }

    /// Marks a file as understood, so that it is not reported.
    pub(super) fn place_file(&mut self, path: &str) {
        self.placed.insert(path.to_owned());
    }

    fn bytes(&self, path: &str) -> &'tree [u8] {
        self.tree.files.get(path).map_or(&[], Vec::as_slice)
    }

    /// What is known of a file whose rows were left in it.
    pub(super) fn large(&self, path: &str) -> Option<&'tree LargeFile> {
        self.tree.large.get(path)
    }

    /// SHA-256 of a file, in hexadecimal.
    pub(super) fn sha256(&self, path: &str) -> String {
        self.large(path).map_or_else(|| sha256_hex(self.bytes(path)), |large| large.sha256.clone())
    }

    /// SHA-384 of a file, in hexadecimal.
    pub(super) fn sha384(&self, path: &str) -> String {
        let whole = || sha384_hex(self.bytes(path));
        self.large(path).map_or_else(whole, |large| large.sha384.clone())
    }

    /// A file as text whatever its bytes.
    pub(super) fn lossy(&self, path: &str) -> Cow<'tree, str> {
        String::from_utf8_lossy(self.bytes(path))
    }

    /// A file's text; a file that is not text becomes a problem.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        self.place_file(path);
        match self.tree.text(path)? {
            Ok(source) => {
                self.note_encoding(path, source.encoding);
                Some(source.text)
            }
            Err(error) => {
                let what = format!("{} is not text: {error}", self.tree.display(path));
                self.problems.push(
                    Problem::error(Code::FileNotText, what)
                        .at(self.place(path))
                        .fix("Save the file as UTF-8, or remove it from the folder."),
                );
                None
            }
        }
    }

    fn note_encoding(&mut self, path: &str, encoding: Encoding) {
        let name = match encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => return,
            Encoding::Utf16Le | Encoding::Utf16Be => "UTF-16",
        };
        let what = format!("{} was converted from {name}", self.tree.display(path));
        let note = Problem::note(Code::EncodingConverted, what).at(self.place(path));
        self.problems.push(note.because("PostgreSQL and the format's own tool expect UTF-8."));
    }

    /// A whole file as SQL. A file without a statement is reported.
    pub(super) fn body(&mut self, path: &str) -> Option<SqlBody> {
        let text = self.text(path)?;
        if !has_statement(&text) {
            self.report_empty(path);
        }
        Some(SqlBody::verbatim(text, Place::at(self.tree.display(path), 1, 1)))
    }

    /// The way back as a whole file. One without a statement is how people say that there is
    /// nothing to take back, where their tool insists on the file.
    pub(super) fn down_body(&mut self, path: &str) -> Option<SqlBody> {
        let text = self.text(path)?;
        Some(SqlBody::verbatim(text, Place::at(self.tree.display(path), 1, 1)))
    }

    pub(super) fn report_empty(&mut self, path: &str) {
        let what = format!("{} holds no statement", self.tree.display(path));
        let problem = Problem::warning(Code::MigrationEmpty, what).at(self.place(path));
        self.problems.push(problem.fix("Write the statements, or remove the migration."));
    }

    /// The place of a file as a whole.
    pub(super) fn place(&self, path: &str) -> Place {
        Place::file(self.tree.display(path))
    }

    /// A migration of one file with nothing special about it.
    pub(super) fn migration(
        &self,
        version: impl Into<String>,
        name: impl Into<String>,
        file: &str,
        up: SqlBody,
    ) -> Migration {
        Migration {
            version: version.into(),
            name: name.into(),
            kind: MigrationKind::Versioned,
            file: file.to_owned(),
            size_bytes: self
                .large(file)
                .map_or_else(|| self.bytes(file).len() as u64, |large| large.size_bytes),
            up,
            down: None,
            checksum: None,
            transaction: TransactionMode::Auto,
            opaque: None,
            opaque_down: None,
        }
    }

    /// Orders the migrations and reports what is wrong with the folder as a whole.
    pub(super) fn finish(
        mut self,
        order: impl FnMut(&Migration, &Migration) -> Ordering,
    ) -> MigrationSet {
        self.migrations.sort_by(order);
        self.report_duplicates();
        self.report_unplaced();
        if self.migrations.is_empty() && !self.problems.iter().any(Problem::is_error) {
            self.problems.push(empty_folder(self.tree, self.format));
        }
        MigrationSet { format: self.format, migrations: self.migrations, problems: self.problems }
    }

    fn report_duplicates(&mut self) {
        let mut ordered: Vec<&Migration> = self.migrations.iter().collect();
        ordered.sort_by(|a, b| key(a).cmp(&key(b)));
        let pairs = ordered.windows(2).filter(|pair| key(pair[0]) == key(pair[1]));
        let found: Vec<_> = pairs.map(|pair| duplicate(self.tree, pair[0], pair[1])).collect();
        self.problems.extend(found);
    }

    fn report_unplaced(&mut self) {
        let stray = self.tree.files.keys().filter(|path| !self.placed.contains(*path));
        let stray = stray.filter(|path| !is_ignorable(path));
        let found: Vec<_> = stray.map(|path| unplaced(self.tree, path, self.format)).collect();
        self.problems.extend(found);
        let is_read = |path: &String| {
            let within = format!("{path}/");
            self.placed.iter().any(|placed| placed.starts_with(&within))
        };
        let named_so = self.tree.directories.iter().filter(|path| path.ends_with(".sql"));
        let named_so = named_so.filter(|path| !is_read(path));
        let found: Vec<_> = named_so.map(|path| not_a_file(self.tree, path)).collect();
        self.problems.extend(found);
    }
}

fn not_a_file(tree: &FileTree, path: &str) -> Problem {
    let what = format!("{} is a folder, and is not run", tree.display(path));
    Problem::warning(Code::FileUnplaced, what)
        .at(Place::file(tree.display(path)))
        .because("its name is that of a migration")
        .fix("Rename it, or put the file there that was meant.")
}

/// Versions of baselines may equal those of versioned migrations (Flyway).
fn key(migration: &Migration) -> (&str, bool) {
    (&migration.version, migration.kind == MigrationKind::Baseline)
}

fn duplicate(tree: &FileTree, first: &Migration, second: &Migration) -> Problem {
    let (a, b) = (tree.display(&first.file), tree.display(&second.file));
    let what = format!("{a} and {b} have the same version {}", first.version);
    Problem::error(Code::VersionDuplicate, what)
        .at(Place::file(b))
        .because("The history can record only one of them.")
        .fix("Give the newer of the two files a version of its own.")
}

fn unplaced(tree: &FileTree, path: &str, format: Format) -> Problem {
    let what = format!("{} is not run", tree.display(path));
    Problem::warning(Code::FileUnplaced, what)
        .at(Place::file(tree.display(path)))
        .because(format!("Its name does not fit the {format} format: {}.", naming_rule(format)))
        .fix("Rename the file, or move it out of the folder.")
}

fn unreadable(tree: &FileTree, path: &str, why: &str) -> Problem {
    let what = format!("{} cannot be read: {why}", tree.display(path));
    Problem::error(Code::FileUnreadable, what)
        .at(Place::file(tree.display(path)))
        .fix("Give the user that runs pgfleet the right to read it, or remove the file.")
}

fn empty_folder(tree: &FileTree, format: Format) -> Problem {
    let folder = if tree.root.is_empty() { "." } else { &tree.root };
    Problem::error(Code::FolderEmpty, format!("{folder} holds no {format} migrations"))
        .at(Place::file(folder))
        .because(format!("A migration's name is {}.", naming_rule(format)))
        .fix("Name the right folder with --dir, or its format with --format.")
}

/// How a format names its files, for messages.
fn naming_rule(format: Format) -> &'static str {
    match format {
        Format::Plain => "NAME.sql, optionally with NAME.down.sql",
        Format::Supabase => "TIMESTAMP_name.sql",
        Format::Prisma => "NAME/migration.sql",
        Format::Typeorm => "a class with up and down in a .ts or .js file",
        Format::Flyway => "V1__name.sql, U1__name.sql, R__name.sql or B1__name.sql",
        Format::Dbmate => "VERSION_name.sql",
        Format::Sqlx => "VERSION_name.sql, or VERSION_name.up.sql and VERSION_name.down.sql",
        Format::Diesel => "VERSION_name/up.sql, optionally with down.sql",
        Format::Goose => "VERSION_name.sql or VERSION_name.go",
        Format::GolangMigrate => "VERSION_name.up.sql, optionally with VERSION_name.down.sql",
        Format::Drizzle => "a file that meta/_journal.json lists, or NAME/migration.sql",
        Format::Refinery => "V1__name.sql",
    }
}

/// Files that live beside migrations and are no migrations to anybody.
fn is_ignorable(path: &str) -> bool {
    let name = base_name(path);
    let plain_text = [".md", ".txt", ".rst", ".adoc", ".lock", ".map"];
    path.split('/').any(|part| part.starts_with('.'))
        || plain_text.iter().any(|ending| name.ends_with(ending))
        || ["LICENSE", "README", "CHANGELOG", "Makefile", "atlas.sum"].contains(&name)
}

/// The last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `(number, rest)` when the text begins with digits.
pub(super) fn leading_digits(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// `VERSION_rest` of a file name.
pub(super) fn versioned_name(name: &str) -> Option<(&str, &str)> {
    let (version, rest) = leading_digits(name)?;
    Some((version, rest.strip_prefix('_')?))
}

/// Whether a script holds anything besides blanks and comments.
pub(super) fn has_statement(text: &str) -> bool {
    let mut rest = text.trim_start();
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_block_comment(comment)
        } else {
            return !rest.is_empty();
        };
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    }
}

/// What follows a block comment; PostgreSQL's nest ("4.1.5. Comments" in its manual).
fn after_block_comment(text: &str) -> &str {
    let mut depth = 1usize;
    let mut rest = text;
    while depth > 0 {
        let Some(at) = rest.find(['*', '/']) else { return "" };
        let tail = &rest[at..];
        let step = if tail.starts_with("*/") {
            depth -= 1;
            2
        } else if tail.starts_with("/*") {
            depth += 1;
            2
        } else {
            1
        };
        rest = &tail[step..];
    }
    rest
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-384, in hexadecimal.
pub(crate) fn sha384_hex(bytes: &[u8]) -> String {
    hex(&Sha384::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Part of a file as a verbatim chunk that knows its place.
pub(super) fn section(display: &str, text: &str, start: usize, end: usize) -> super::Chunk {
    let position = LineIndex::new(text).position(start);
    super::Chunk {
        sql: text.get(start..end).unwrap_or_default().to_owned(),
        place: Place::at(display, position.line, position.column),
        verbatim: true,
    }
}

/// Orders by version as a number, however long.
pub(super) fn by_number(a: &Migration, b: &Migration) -> Ordering {
    compare_numbers(&a.version, &b.version).then_with(|| a.file.cmp(&b.file))
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// A version without leading zeros, as an integer column gives it back. `None` above `bigint`.
pub(super) fn canonical_integer(digits: &str) -> Option<String> {
    digits.parse::<i64>().ok().map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_statements() {
        for text in ["", " \n", "-- a", "-- a\n/* b /* c */ d */\n;", "/* open", "\u{a0}"] {
            assert!(!has_statement(text), "{text:?}");
        }
        for text in ["select 1", "-- a\nselect 1", "/* a */x", "/x", "-"] {
            assert!(has_statement(text), "{text:?}");
        }
    }

    #[test]
    fn versions_compare_by_value() {
        assert_eq!(compare_numbers("010", "9"), Ordering::Greater);
        assert_eq!(compare_numbers("0", "000"), Ordering::Equal);
        assert_eq!(canonical_integer("007").as_deref(), Some("7"));
        assert_eq!(canonical_integer("99999999999999999999"), None);
    }
}
