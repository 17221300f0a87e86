//! Large SQL files, read piece by piece: the rows of `COPY … FROM stdin` stay in the file.
//!
//! Invariant: what is held is the script with one line for each stretch of rows
//! ([`RowsElsewhere`]); checksums are those of the whole file.

use pgfleet_sql::{DecodeError, Encoding, Part, RowsElsewhere, ScriptStream, TextStream};
use sha2::{Digest, Sha256, Sha384};

use super::flyway::LineChecksum;
use super::reading::{base_name, hex};
use super::refinery::StreamedChecksum;

/// Fewer bytes of rows than these are kept in the script.
const ROWS_MIN_BYTES: usize = 4096;

/// What is known of a file whose rows were left in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeFile {
    /// The file's size.
    pub size_bytes: u64,
    /// How it spells characters.
    pub encoding: Encoding,
    /// Why it is not text; what is held then is not to be used.
    pub not_text: Option<DecodeError>,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// SHA-384 of the file, in hexadecimal.
    pub sha384: String,
    /// Flyway's checksum.
    pub lines_crc32: i32,
    /// refinery's checksum, where the name is one of its.
    pub refinery: Option<String>,
}

/// Reads one large file. Pieces may be of any size.
pub struct LargeReader {
    text: TextStream,
    script: ScriptStream,
    skeleton: Skeleton,
    not_text: Option<DecodeError>,
    size_bytes: u64,
    sha256: Sha256,
    sha384: Option<Sha384>,
    lines: Option<LineChecksum>,
    refinery: Option<StreamedChecksum>,
    /// Bytes of the byte order mark that are still to come.
    mark: usize,
}

impl LargeReader {
    /// A file of this path in its folder, which begins so and has this size. The beginning is pushed
    /// too.
    pub fn new(path: &str, beginning: &[u8], size_bytes: u64) -> Self {
        let (text, mark) = TextStream::new(beginning, size_bytes);
        let (name, encoding) = (base_name(path), text.encoding());
        Self {
            skeleton: Skeleton::new(path, mark as u64, encoding),
            text,
            script: ScriptStream::default(),
            not_text: None,
            size_bytes: 0,
            sha256: Sha256::new(),
            sha384: name.starts_with(|c: char| c.is_ascii_digit()).then(Sha384::new),
            lines: name.contains("__").then(LineChecksum::default),
            refinery: StreamedChecksum::of_file(name),
            mark,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.sha256.update(bytes);
        self.sha384.iter_mut().for_each(|digest| digest.update(bytes));
        self.refinery.iter_mut().for_each(|checksum| checksum.push(bytes));
        let skipped = self.mark.min(bytes.len());
        self.mark -= skipped;
        if self.not_text.is_some() {
            return;
        }
        match self.text.push(bytes.get(skipped..).unwrap_or_default()) {
            Ok(text) => {
                self.lines.iter_mut().for_each(|checksum| checksum.push(&text));
                let skeleton = &mut self.skeleton;
                self.script.push(&text, &mut |part| skeleton.take(part));
            }
            Err(error) => self.not_text = Some(error),
        }
    }

    /// The script without its rows, and what is known of the file.
    pub fn finish(mut self) -> (String, LargeFile) {
        let encoding = self.text.encoding();
        if self.not_text.is_none() {
            self.not_text = self.text.finish().err();
        }
        let skeleton = &mut self.skeleton;
        self.script.finish(&mut |part| skeleton.take(part));
        self.skeleton.end_rows();
        let large = LargeFile {
            size_bytes: self.size_bytes,
            encoding,
            not_text: self.not_text,
            sha256: hex(&self.sha256.finalize()),
            sha384: self.sha384.map(|digest| hex(&digest.finalize())).unwrap_or_default(),
            lines_crc32: self.lines.map(LineChecksum::finish).unwrap_or_default(),
            refinery: self.refinery.map(StreamedChecksum::finish),
        };
        (self.skeleton.text, large)
    }
}

/// The script that is held.
struct Skeleton {
    file: String,
    encoding: Encoding,
    text: String,
    /// Byte offset in the file of the next part.
    offset: u64,
    rows: Option<OpenRows>,
}

/// Rows whose end has not come.
struct OpenRows {
    start: u64,
    lines: u64,
    digest: Sha256,
    /// The rows themselves, as long as they are few.
    kept: Option<String>,
    has_placeholder: bool,
    ends_in_dollar: bool,
}

impl Skeleton {
    fn new(file: &str, offset: u64, encoding: Encoding) -> Self {
        Self { file: file.to_owned(), encoding, text: String::new(), offset, rows: None }
    }

    fn take(&mut self, part: Part<'_>) {
        let (Part::Script(text) | Part::Rows(text)) = part;
        let bytes = self.encoding.encode(text);
        if matches!(part, Part::Rows(_)) {
            let start = self.offset;
            self.rows.get_or_insert_with(|| OpenRows::at(start)).take(text, &bytes);
        } else {
            self.end_rows();
            self.text.push_str(text);
        }
        self.offset += bytes.len() as u64;
    }

    fn end_rows(&mut self) {
        let Some(rows) = self.rows.take() else { return };
        match rows.kept {
            Some(kept) => self.text.push_str(&kept),
            None => {
                let elsewhere = RowsElsewhere {
                    file: self.file.clone(),
                    start: rows.start,
                    end: self.offset,
                    lines: rows.lines,
                    sha256: hex(&rows.digest.finalize()),
                    encoding: self.encoding,
                    has_placeholder: rows.has_placeholder,
                };
                self.text.push_str(&elsewhere.to_line());
            }
        }
    }
}

impl OpenRows {
    fn at(start: u64) -> Self {
        Self {
            start,
            lines: 0,
            digest: Sha256::new(),
            kept: Some(String::new()),
            has_placeholder: false,
            ends_in_dollar: false,
        }
    }

    fn take(&mut self, text: &str, bytes: &[u8]) {
        self.lines += text.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.digest.update(bytes);
        self.has_placeholder |=
            text.contains("${") || (self.ends_in_dollar && text.starts_with('{'));
        self.ends_in_dollar = text.ends_with('$');
        self.kept = self.kept.take().filter(|kept| kept.len() + text.len() < ROWS_MIN_BYTES);
        self.kept.iter_mut().for_each(|kept| kept.push_str(text));
    }
}

#[cfg(test)]
mod tests {
    use pgfleet_sql::rows::rows_elsewhere;

    use super::*;
    use crate::folder::{FileTree, FolderOptions, Format, Migration, read_with};

    fn rows(count: usize) -> String {
        (0..count).map(|n| format!("{n}\té{n}\r\n")).collect()
    }

    fn script() -> String {
        format!(
            "CREATE TABLE t (a int, b text);\r\nCOPY t FROM stdin;\r\n{}\\.\r\nCOPY t FROM stdin;\n1\ta\n\\.\nSELECT 1;\n",
            rows(2000)
        )
    }

    fn large(path: &str, bytes: &[u8], size: usize) -> FileTree {
        let mut tree = FileTree { root: "m".to_owned(), ..FileTree::default() };
        let mut reader =
            LargeReader::new(path, &bytes[..bytes.len().min(5000)], bytes.len() as u64);
        bytes.chunks(size).for_each(|piece| reader.push(piece));
        let (text, file) = reader.finish();
        tree.insert_large(path, text, file);
        tree
    }

    fn only(tree: &FileTree, format: Format) -> Migration {
        let set = read_with(tree, format, &FolderOptions::default());
        assert_eq!(set.migrations.len(), 1, "{format} {:?}", set.problems);
        set.migrations.into_iter().next().unwrap()
    }

    #[test]
    fn a_large_file_is_the_migration_that_the_whole_would_be() {
        for (format, path) in [
            (Format::Plain, "1_a.sql"),
            (Format::Sqlx, "1_a.sql"),
            (Format::Flyway, "V1__a.sql"),
            (Format::Refinery, "V1__a.sql"),
            (Format::Supabase, "20240101000000_a.sql"),
            (Format::Prisma, "20240101000000_a/migration.sql"),
            (Format::Diesel, "20240101000000_a/up.sql"),
        ] {
            let mut whole = FileTree { root: "m".to_owned(), ..FileTree::default() };
            whole.insert(path, script().into_bytes());
            let (expected, found) =
                (only(&whole, format), only(&large(path, script().as_bytes(), 1000), format));
            assert_eq!(found.checksum, expected.checksum, "{format}");
            assert_eq!(found.size_bytes, expected.size_bytes, "{format}");
            let [a, b] = [&found, &expected]
                .map(|migration| pgfleet_sql::split(&migration.up.chunks[0].sql).len());
            assert_eq!(a, b, "{format}: as many pieces");
            assert!(found.up.chunks[0].sql.len() < 1000, "{format}");
        }
    }

    #[test]
    fn the_rows_are_where_the_script_says() {
        let marked = format!("\u{feff}{}", script());
        let utf16: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (bytes, encoding) in [
            (script().into_bytes(), Encoding::Utf8),
            (marked.clone().into_bytes(), Encoding::Utf8),
            (utf16, Encoding::Utf16Le),
        ] {
            for size in [7, 1001, 1 << 20] {
                let tree = large("1_a.sql", &bytes, size);
                let text = String::from_utf8(tree.files["1_a.sql"].clone()).unwrap();
                let found: Vec<_> = rows_elsewhere(&text).collect();
                assert_eq!(found.len(), 1, "the second COPY has few rows");
                let RowsElsewhere { start, end, lines, sha256, .. } = &found[0];
                let stretch = &bytes[*start as usize..*end as usize];
                assert_eq!(*stretch, *encoding.encode(&rows(2000)), "{encoding:?}");
                assert_eq!((*lines, sha256), (2000, &hex(&Sha256::digest(stretch))));
            }
        }
    }

    #[test]
    fn what_is_not_text_is_said_as_for_any_file() {
        let mut bytes = script().into_bytes();
        bytes[20_000] = 0xFF;
        let set = crate::folder::read(&large("1_a.sql", &bytes, 999), Format::Plain);
        assert!(set.problems[0].what.contains("at offset 20000"), "{:?}", set.problems);
    }

    #[test]
    fn rows_that_flyway_would_change_are_refused() {
        let text = script().replace("\té7\r", "\t${x}\r");
        let tree = large("V1__a.sql", text.as_bytes(), 1000);
        let set = crate::folder::read(&tree, Format::Flyway);
        let problem = set.problems.iter().find(|problem| problem.is_error()).expect("refused");
        assert!(problem.what.contains("${"), "{problem:?}");
        assert_eq!(problem.place.as_ref().map(|place| place.line), Some(3));
        assert!(crate::folder::read(&tree, Format::Plain).problems.is_empty());
    }
}
