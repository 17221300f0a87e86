//! Byte offsets back to lines and columns, and PostgreSQL's character positions to byte offsets.
//!
//! Invariant: lines and columns are 1-based, a column counts characters (not bytes), and every
//! offset, even one outside the text or inside a character, has a position.

use crate::rows;

/// A place as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, 1-based.
    pub line: u32,
    /// Column in characters, 1-based.
    pub column: u32,
}

/// Where the lines of one text begin.
#[derive(Debug, Clone)]
pub struct LineIndex<'text> {
    text: &'text str,
    starts: Vec<usize>,
    /// From which index of `starts` on how many lines are not in the text: rows that were left in
    /// their file.
    left_out: Vec<(usize, u32)>,
}

impl<'text> LineIndex<'text> {
    /// Indexes a text in one pass.
    #[must_use]
    pub fn new(text: &'text str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts: Vec<_> = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        let marked = |(_, start): &(usize, &usize)| rows::is_marked(&text.as_bytes()[**start..]);
        let (mut left_out, mut total) = (Vec::new(), 0u32);
        for (index, start) in starts.iter().enumerate().filter(marked) {
            let line = text[*start..].split_inclusive('\n').next().unwrap_or_default();
            total = total.saturating_add(rows::lines_left_out(line));
            left_out.push((index + 1, total));
        }
        Self { text, starts, left_out }
    }

    /// The position of a byte offset; offsets beyond the text give its end.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset).max(1) - 1;
        let start = self.starts.get(line).copied().unwrap_or_default();
        let column = self.text[start..offset].chars().count();
        let before = self.left_out.partition_point(|(index, _)| *index <= line);
        let left_out = before.checked_sub(1).map_or(0, |at| self.left_out[at].1);
        Position { line: counted(line).saturating_add(left_out), column: counted(column) }
    }

    /// The text of a 1-based line without its line end; empty when there is no such line.
    #[must_use]
    pub fn line_text(&self, line: u32) -> &'text str {
        let number = line as usize;
        let mut left_out = self.left_out.iter().rev();
        let left_out = left_out.find(|(index, count)| *index + (*count as usize) < number);
        let index = number.wrapping_sub(1 + left_out.map_or(0, |(_, count)| *count as usize));
        let Some(start) = self.starts.get(index).copied() else { return "" };
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        let line = &self.text[start..end];
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line)
    }
}

/// 0-based count to 1-based number.
fn counted(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX - 1) + 1
}

/// The byte offset of a position in an error report's field `P`, which counts characters from 1
/// ("Error and Notice Message Fields" in PostgreSQL's protocol documentation). Positions outside
/// the text give its nearest end.
#[must_use]
pub fn char_to_byte(text: &str, position: usize) -> usize {
    text.char_indices().nth(position.saturating_sub(1)).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let index = LineIndex::new("a\r\néé x\n");
        assert_eq!(index.position(0), Position { line: 1, column: 1 });
        assert_eq!(index.position(3), Position { line: 2, column: 1 });
        assert_eq!(index.position(4), Position { line: 2, column: 1 });
        assert_eq!(index.position(8), Position { line: 2, column: 4 });
        assert_eq!(index.position(999), Position { line: 3, column: 1 });
        assert_eq!(index.line_text(1), "a");
        assert_eq!(index.line_text(2), "éé x");
        assert_eq!((index.line_text(0), index.line_text(9)), ("", ""));
    }

    #[test]
    fn error_positions_count_characters() {
        assert_eq!(char_to_byte("é x", 1), 0);
        assert_eq!(char_to_byte("é x", 2), 2);
        assert_eq!(char_to_byte("é x", 0), 0);
        assert_eq!(char_to_byte("é x", 99), 4);
    }
}
