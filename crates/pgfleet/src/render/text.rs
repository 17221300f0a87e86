//! Columns and lines: measured, wrapped, cut and cleaned.
//!
//! Invariant: what comes out holds no control characters but line feeds, so that text from files
//! and servers cannot move the cursor or change colours.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes.
pub fn width_of(text: &str) -> usize {
    text.width()
}

/// The text with tabs as four blanks and any other control character as `\u{…}`; line feeds stay.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            _ if character.is_control() || is_direction_override(character) => {
                out.extend(character.escape_unicode());
            }
            _ => out.push(character),
        }
    }
    out
}

/// [`clean`], and one line.
pub fn clean_line(text: &str) -> String {
    clean(text).split('\n').map(str::trim_end).collect::<Vec<_>>().join(" ")
}

/// Characters that reorder what follows them and so can hide what a line says.
fn is_direction_override(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Breaks a cleaned text into lines of at most `width` columns, at blanks; longer words stay whole,
/// so that paths and commands can be copied.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in clean(text).lines() {
        wrap_line(paragraph, width, &mut lines);
    }
    lines
}

fn wrap_line(paragraph: &str, width: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        if !line.is_empty() && width_of(&line) + 1 + width_of(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
}

/// Fills up with blanks on the right.
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(width_of(text))))
}

/// Fills up with blanks on the left.
pub fn pad_left(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(width_of(text))))
}

/// Cuts to `width` columns, with `mark` in place of what is missing.
pub fn cut(text: &str, width: usize, mark: &str) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(width_of(mark));
    let (mut out, mut used) = (String::new(), 0);
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns > room {
            break;
        }
        used += columns;
        out.push(character);
    }
    out.push_str(mark);
    out
}

/// `1 table`, `2 tables`; `indexes`, `policies` as English has them.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {}", grouped(count), plural(noun)) }
}

/// The plural of a noun that PostgreSQL uses for an object.
pub fn plural(noun: &str) -> String {
    match noun {
        "index" => "indexes".to_owned(),
        "statistics" => noun.to_owned(),
        _ if noun.ends_with("ey") => format!("{noun}s"),
        _ if noun.ends_with('y') => format!("{}ies", &noun[..noun.len() - 1]),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// `1234567` → `1 234 567`, as numbers above 9999 are hard to read.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Bytes for people: `812 B`, `4.2 KiB`, `17.0 MiB`.
pub fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..MIB => format!("{}.{} KiB", bytes / KIB, bytes % KIB * 10 / KIB),
        _ => format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB),
    }
}

/// Milliseconds for people: `0.4 ms`, `812 ms`, `1.24 s`, `3 min 07 s`.
pub fn duration(ms: f64) -> String {
    if ms < 10.0 {
        return format!("{ms:.1} ms");
    }
    if ms < 1000.0 {
        return format!("{ms:.0} ms");
    }
    if ms < 60_000.0 {
        return format!("{:.2} s", ms / 1000.0);
    }
    let seconds = (ms / 1000.0).round() as u64;
    if seconds < 3600 {
        return format!("{} min {:02} s", seconds / 60, seconds % 60);
    }
    format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\x1b[31mb\tc\r\nd"), "a\\u{1b}[31mb    c\nd");
        assert_eq!(clean("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(clean_line("a\n  b"), "a   b");
    }

    #[test]
    fn wrapping_breaks_at_blanks_and_keeps_long_words() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("a https://example.org/long b", 6), ["a", "https://example.org/long", "b"]);
        assert_eq!(wrap("日本 語", 4), ["日本", "語"]);
        assert_eq!(wrap("a\n\nb", 9), ["a", "", "b"]);
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut("abcdef", 4, "…"), "abc…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("abc", 3, "…"), "abc");
    }

    #[test]
    fn quantities_read_well() {
        assert_eq!(counted(1, "index"), "1 index");
        assert_eq!(counted(2, "policy"), "2 policies");
        assert_eq!(counted(12_345, "statement"), "12 345 statements");
        assert_eq!(size(812), "812 B");
        assert_eq!(size(4300), "4.1 KiB");
        assert_eq!(size(17 << 20), "17.0 MiB");
        assert_eq!(duration(0.42), "0.4 ms");
        assert_eq!(duration(812.0), "812 ms");
        assert_eq!(duration(1240.0), "1.24 s");
        assert_eq!(duration(187_000.0), "3 min 07 s");
        assert_eq!(duration(7_500_000.0), "2 h 05 min");
    }
}
