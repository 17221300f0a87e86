//! Cuts a script that comes in pieces into SQL and the rows of its COPY statements, so that rows
//! need never be held.
//!
//! Invariant: the parts, in order, concatenate to the script, and [`Part::Rows`] are the bytes that
//! [`super::split`] of the whole script calls COPY data, without their closing lines. At any time
//! only the statement being read is held, or one line of rows.

use std::ops::Range;

use super::{Piece, PieceKind, is_copy_end, split};

/// How much more text is waited for before what is held is looked at again.
const LOOK_BYTES: usize = 64 * 1024;

/// A stretch of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'text> {
    /// Anything but rows; the line that closes rows too.
    Script(&'text str),
    /// Rows of a `COPY … FROM STDIN`, or a part of them.
    Rows(&'text str),
}

/// A script being read.
#[derive(Debug, Default)]
pub struct ScriptStream {
    held: String,
    /// In script: how long `held` must be before it is worth looking.
    look_at: usize,
    rows: Option<Rows>,
}

/// Rows being read.
#[derive(Debug)]
struct Rows {
    /// The next byte begins a line.
    at_line_start: bool,
    /// COPY statements of the same line whose rows follow these.
    waiting: usize,
}

impl ScriptStream {
    /// Takes the script's next text; tells all parts that are certain by now.
    pub fn push(&mut self, text: &str, take: &mut dyn FnMut(Part<'_>)) {
        self.held.push_str(text);
        while if self.rows.is_some() { self.read_rows(take) } else { self.read_script(take) } {}
    }

    /// Tells what is left at the script's end.
    pub fn finish(self, take: &mut dyn FnMut(Part<'_>)) {
        match self.rows {
            Some(rows) if rows.at_line_start && is_copy_end(&self.held) => {
                take(Part::Script(&self.held));
            }
            Some(_) if self.held.is_empty() => {}
            Some(_) => take(Part::Rows(&self.held)),
            None => {
                let found = Found::of(&self.held, split(&self.held), true);
                tell(&self.held, &found.rows, self.held.len(), take);
            }
        }
    }

    /// True when there may be more to read in what is held.
    fn read_script(&mut self, take: &mut dyn FnMut(Part<'_>)) -> bool {
        if self.held.len() < self.look_at {
            return false;
        }
        let found = Found::of(&self.held, split(&self.held), false);
        tell(&self.held, &found.rows, found.certain, take);
        self.held.drain(..found.certain);
        self.look_at = self.held.len() + self.held.len().max(LOOK_BYTES);
        self.rows = found.open;
        self.rows.is_some()
    }

    fn read_rows(&mut self, take: &mut dyn FnMut(Part<'_>)) -> bool {
        let Some(rows) = &mut self.rows else { return false };
        let mut at = 0;
        for line in self.held.split_inclusive('\n') {
            let whole = line.ends_with('\n');
            let begins = std::mem::replace(&mut rows.at_line_start, whole);
            if begins && whole && is_copy_end(line) {
                let end = at + line.len();
                tell(&self.held, std::slice::from_ref(&(0..at)), end, take);
                self.held.drain(..end);
                self.look_at = 0;
                self.rows = rows.waiting.checked_sub(1).map(Rows::waiting_for);
                return true;
            }
            if begins && !whole && "\\.\r".starts_with(line) {
                rows.at_line_start = true;
                break;
            }
            at += line.len();
        }
        tell(&self.held, std::slice::from_ref(&(0..at)), at, take);
        self.held.drain(..at);
        false
    }
}

impl Rows {
    fn waiting_for(waiting: usize) -> Self {
        Self { at_line_start: true, waiting }
    }
}

/// What is known of a script's beginning.
struct Found {
    /// Complete rows, in order.
    rows: Vec<Range<usize>>,
    /// Whatever follows, nothing changes before here.
    certain: usize,
    /// At `certain` rows begin whose end is not in sight.
    open: Option<Rows>,
}

impl Found {
    fn of(text: &str, pieces: Vec<Piece>, is_all: bool) -> Self {
        let mut found = Self { rows: Vec::new(), certain: 0, open: None };
        let (mut waiting, last) = (0usize, pieces.len().saturating_sub(1));
        // More text may belong to the last statement, whatever it ends with now.
        let last_said = pieces.iter().rposition(|piece| piece.kind != PieceKind::Trivia);
        for (at, Piece { range, kind }) in pieces.into_iter().enumerate() {
            let piece = &text[range.clone()];
            match kind {
                PieceKind::Statement => {
                    waiting += usize::from(crate::script::is_copy_in(piece));
                    if Some(at) == last_said {
                        continue;
                    }
                }
                PieceKind::CopyData => {
                    waiting = waiting.saturating_sub(1);
                    let end = rows_end(piece);
                    if at == last && !is_all && !(end < piece.len() && piece.ends_with('\n')) {
                        found.certain = range.start;
                        found.open = Some(Rows::waiting_for(waiting));
                        return found;
                    }
                    found.rows.push(range.start..range.start + end);
                }
                _ => continue,
            }
            if waiting == 0 && piece.ends_with([';', '\n']) {
                found.certain = range.end;
            }
        }
        let certain = found.certain;
        if !is_all {
            found.rows.retain(|rows| rows.end <= certain);
        }
        found
    }
}

/// Where the closing line begins in COPY data; the data's end when there is none.
fn rows_end(data: &str) -> usize {
    let last = data.split_inclusive('\n').next_back().unwrap_or_default();
    if is_copy_end(last) { data.len() - last.len() } else { data.len() }
}

fn tell(text: &str, rows: &[Range<usize>], end: usize, take: &mut dyn FnMut(Part<'_>)) {
    let mut at = 0;
    for rows in rows {
        if rows.start > at {
            take(Part::Script(&text[at..rows.start]));
        }
        if !rows.is_empty() {
            take(Part::Rows(&text[rows.clone()]));
        }
        at = rows.end;
    }
    if end > at {
        take(Part::Script(&text[at..end]));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Script and rows, each joined; rows that follow one another are told apart by what is between.
    fn streamed(text: &str, size: usize) -> (String, Vec<String>) {
        let (mut all, mut rows) = (String::new(), Vec::<String>::new());
        let mut in_rows = false;
        let mut take = |part: Part<'_>| match part {
            Part::Script(text) => {
                all.push_str(text);
                in_rows = false;
            }
            Part::Rows(text) => {
                all.push_str(text);
                if !std::mem::replace(&mut in_rows, true) {
                    rows.push(String::new());
                }
                rows.last_mut().unwrap().push_str(text);
            }
        };
        let mut stream = ScriptStream::default();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(size) {
            stream.look_at = 0;
            stream.push(&piece.iter().collect::<String>(), &mut take);
        }
        stream.finish(&mut take);
        (all, rows)
    }

    fn whole(text: &str) -> Vec<String> {
        let data = split(text).into_iter().filter(|piece| piece.kind == PieceKind::CopyData);
        let rows = data.map(|piece| &text[piece.range.clone()]);
        rows.map(|data| data[..rows_end(data)].to_owned()).filter(|rows| !rows.is_empty()).collect()
    }

    fn script() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("COPY t FROM stdin;\n"),
            Just("copy a from stdin; COPY b FROM STDIN; -- two\n"),
            Just("1\ta;b\n"),
            Just("\\.\n"),
            Just("\\.\r\n"),
            Just("\\.x\n"),
            Just("SELECT ';'; "),
            Just("$$ COPY t FROM stdin;\n"),
            Just("'"),
            Just("\\g\n"),
            Just("\n"),
            Just("-- COPY t FROM stdin;\n"),
            Just("é"),
            Just("COPY t TO stdout;"),
            Just("\\."),
        ];
        prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_what_the_whole_gives(text in script(), size in 1usize..40) {
            let (all, rows) = streamed(&text, size);
            prop_assert_eq!(all, text.as_str());
            prop_assert_eq!(rows, whole(&text));
        }
    }

    #[test]
    fn rows_are_not_held() {
        let mut stream = ScriptStream::default();
        let mut longest = 0;
        stream.push("CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n", &mut |_| {});
        for _ in 0..1000 {
            stream.push(&"12345\n".repeat(200), &mut |_| {});
            longest = longest.max(stream.held.len());
        }
        assert!(longest < 2 * LOOK_BYTES, "{longest}");
    }
}
