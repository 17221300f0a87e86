//! refinery folders: `V1__name.sql` and `U1__name.sql`, in any depth of directories.
//!
//! Invariant: the checksum is refinery's SipHash-1-3 of name, version and text. Source:
//! `refinery_core/src/util.rs` and `runner.rs` of rust-db/refinery. `U` files are applied at their
//! place whatever was applied before; they take nothing back.

use std::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use super::reading::{Reading, base_name, by_number, canonical_integer, leading_digits};
use super::{FileTree, Format, MigrationSet, SqlBody};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// Reads a folder of the refinery crate.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Refinery);
    for path in reading.paths() {
        let name = base_name(path);
        if let Some((version, title)) = name.strip_suffix(".sql").and_then(parse_stem) {
            read_file(&mut reading, path, &version, title);
        } else if let Some((version, title)) = name.strip_suffix(".rs").and_then(parse_stem) {
            read_code(&mut reading, path, &version, title);
        } else if name == "mod.rs" {
            reading.place_file(path);
        }
    }
    reading.finish(by_number)
}

/// `^([U|V])(\d+(?:\.\d+)?)__(\w+)`; a version with a dot is none that refinery can parse.
fn parse_stem(stem: &str) -> Option<(String, &str)> {
    let (digits, rest) = leading_digits(stem.strip_prefix(['U', 'V'])?)?;
    let title = rest.strip_prefix("__")?;
    let word = |c: char| c.is_alphanumeric() || c == '_';
    (!title.is_empty() && title.chars().all(word)).then_some(())?;
    Some((canonical_integer(digits)?, title))
}

fn read_file(reading: &mut Reading<'_>, path: &str, version: &str, title: &str) {
    let Some(up) = reading.body(path) else { return };
    let large = reading.large(path).and_then(|large| large.refinery.clone());
    let [checksum, long] = checksums(title, version, &reading.lossy(path));
    let usual = if version.parse::<i32>().is_ok() { checksum } else { long };
    let mut migration = reading.migration(version, title, path, up);
    migration.checksum = Some(large.unwrap_or(usual));
    reading.migrations.push(migration);
}

fn read_code(reading: &mut Reading<'_>, path: &str, version: &str, title: &str) {
    let Some(text) = reading.text(path) else { return };
    let is_entry = |line: &str| line.contains("fn migration");
    let line = (1..).zip(text.lines()).find(|(_, line)| is_entry(line)).map_or(1, |(at, _)| at);
    let place = Place::at(reading.tree.display(path), line, 0);
    let what = format!("{} is Rust code, which pgfleet cannot run", reading.tree.display(path));
    let problem = Problem::warning(Code::CodeOpaque, what).at(place.clone());
    reading.problems.push(problem.fix("Run it with the team's own program, or write it as SQL."));
    let mut migration = reading.migration(version, title, path, SqlBody::default());
    migration.opaque = Some(place);
    reading.migrations.push(migration);
}

/// The checksums that refinery gives with `int4` and with `int8` versions, in decimal.
pub fn checksums(name: &str, version: &str, sql: &str) -> [String; 2] {
    let short = version.parse::<i32>().unwrap_or_default();
    let long = version.parse::<i64>().unwrap_or_default();
    [checksum(name, short, sql), checksum(name, long, sql)]
}

fn checksum(name: &str, version: impl Hash, sql: &str) -> String {
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    version.hash(&mut hasher);
    sql.hash(&mut hasher);
    hasher.finish().to_string()
}

/// The checksum of a file that comes in pieces.
pub(super) struct StreamedChecksum(SipHasher13);

impl StreamedChecksum {
    /// Of a file of this name; `None` when it is no migration's.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        let (version, title) = name.strip_suffix(".sql").and_then(parse_stem)?;
        let mut hasher = SipHasher13::new();
        title.hash(&mut hasher);
        match version.parse::<i32>() {
            Ok(short) => short.hash(&mut hasher),
            Err(_) => version.parse::<i64>().unwrap_or_default().hash(&mut hasher),
        }
        Some(Self(hasher))
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// A string's hash ends with this byte.
    pub(super) fn finish(mut self) -> String {
        self.0.write_u8(0xFF);
        self.0.finish().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_refinery_does() {
        assert_eq!(parse_stem("V01__a_b"), Some(("1".to_owned(), "a_b")));
        assert_eq!(parse_stem("U2__x"), Some(("2".to_owned(), "x")));
        for stem in ["V1.1__x", "V1_x", "V__x", "V1__", "V1__a-b", "R1__x"] {
            assert_eq!(parse_stem(stem), None, "{stem}");
        }
    }
}
