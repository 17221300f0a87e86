//! Rows of a COPY that were left in their file: a line that stands for them in the script's text.
//!
//! Invariant: the line begins with NUL, which no decoded text holds, so nothing that a team wrote is
//! ever taken for it; [`crate::LineIndex`] counts it as the lines that it stands for.

use crate::source::Encoding;

/// Marks the line.
const MARK: char = '\0';

/// Where rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsElsewhere {
    /// The file, relative to the folder; without line breaks.
    pub file: String,
    /// Byte offset of the first row in the file.
    pub start: u64,
    /// Byte offset behind the last row.
    pub end: u64,
    /// How many lines the rows are.
    pub lines: u64,
    /// Of the bytes, in hexadecimal.
    pub sha256: String,
    /// How the bytes spell characters.
    pub encoding: Encoding,
    /// `${` stands somewhere in the rows.
    pub has_placeholder: bool,
}

impl RowsElsewhere {
    /// The line that stands for the rows, with its line break.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Self { file, start, end, lines, sha256, encoding, has_placeholder } = self;
        let encoding = encoding.name();
        format!("{MARK}{start} {end} {lines} {sha256} {encoding} {has_placeholder} {file}\n")
    }

    /// Reads [`RowsElsewhere::to_line`] back; `None` for any other text.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.strip_prefix(MARK)?;
        let mut words = line.strip_suffix('\n').unwrap_or(line).splitn(7, ' ');
        let mut number = || words.next()?.parse().ok();
        let (start, end, lines) = (number()?, number()?, number()?);
        Some(Self {
            start,
            end,
            lines,
            sha256: words.next()?.to_owned(),
            encoding: Encoding::by_name(words.next()?)?,
            has_placeholder: words.next()? == "true",
            file: words.next()?.to_owned(),
        })
    }
}

/// A script without the lines that stand for rows.
#[must_use]
pub fn without_rows(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with(MARK)).collect()
}

/// All lines of a script that stand for rows.
pub fn rows_elsewhere(text: &str) -> impl Iterator<Item = RowsElsewhere> + '_ {
    text.split_inclusive('\n').filter_map(RowsElsewhere::parse)
}

/// How many lines more than one a line of a text stands for.
pub(crate) fn lines_left_out(line: &str) -> u32 {
    let lines = RowsElsewhere::parse(line).map_or(1, |rows| rows.lines);
    u32::try_from(lines.saturating_sub(1)).unwrap_or(u32::MAX / 2)
}

/// Whether a line of a text stands for rows.
pub(crate) fn is_marked(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LineIndex, Position};

    fn rows() -> RowsElsewhere {
        RowsElsewhere {
            file: "a b/é.sql".to_owned(),
            start: 7,
            end: 9_000_000_000,
            lines: 1000,
            sha256: "ab".to_owned(),
            encoding: Encoding::Utf16Le,
            has_placeholder: true,
        }
    }

    #[test]
    fn the_line_is_read_back_and_nothing_else_is() {
        assert_eq!(RowsElsewhere::parse(&rows().to_line()), Some(rows()));
        for text in ["", "1\t2\n", "\0", "\0x 1 1 a utf-8 true f", "\u{0}1 2 3 a b c d"] {
            assert_eq!(RowsElsewhere::parse(text), None, "{text:?}");
        }
        assert_eq!(without_rows(&format!("a\n{}b", rows().to_line())), "a\nb");
    }

    #[test]
    fn lines_are_counted_as_in_the_file() {
        let text = format!("COPY t FROM stdin;\n{}\\.\nSELECT x;", rows().to_line());
        let index = LineIndex::new(&text);
        let at = text.find('x').unwrap();
        assert_eq!(index.position(at), Position { line: 1003, column: 8 });
        assert_eq!(index.line_text(1003), "SELECT x;");
        assert_eq!(index.line_text(1), "COPY t FROM stdin;");
        assert_eq!(index.line_text(1002), "\\.");
    }
}
