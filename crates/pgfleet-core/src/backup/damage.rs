//! What became of a file that is not as it was written, told from its bytes.
//!
//! Sources: the magic numbers of PostgreSQL's archives (`PGDMP`, src/bin/pg_dump/pg_backup_archiver.h)
//! and of gzip (RFC 1952), zstd (RFC 8878) and LZ4 frames; byte order marks of Unicode.

use serde::{Deserialize, Serialize};

/// How a file is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// Not there.
    Missing,
    /// Shorter than written, and its beginning may be right.
    Truncated,
    /// Converted to UTF-16, as a shell's redirection does on Windows.
    Utf16,
    /// Read in one encoding and written in another: bytes beyond ASCII became several or `?`.
    Reencoded,
    /// Line ends were converted.
    LineEnds,
    /// Other bytes.
    Changed,
}

impl Damage {
    /// What happened, as the end of a sentence that begins with the file.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Missing => "is not there",
            Self::Truncated => "is cut off: the copy was interrupted or the disk was full",
            Self::Utf16 => "was converted to UTF-16, as PowerShell's > and some editors do",
            Self::Reencoded => {
                "was converted to another encoding, as an editor or a text-mode transfer does"
            }
            Self::LineEnds => "had its line ends converted, as a text-mode transfer or git does",
            Self::Changed => "has other bytes than were written",
        }
    }
}

/// What a file that pg_dump wrote is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpForm {
    /// `--format=custom`, or the table of contents of `--format=directory`.
    Archive,
    /// `--format=tar`.
    Tar,
    /// SQL for psql.
    Script,
}

const ARCHIVE: &[u8] = b"PGDMP";
const MAGICS: &[&[u8]] =
    &[ARCHIVE, &[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[4, 0x22, 0x4d, 0x18]];

/// Why a file is not what its manifest says. `head` is the beginning of what is there, the longer
/// the surer; `written` its length when it was written.
pub fn damage_of(path: &str, head: &[u8], bytes: u64, written: u64) -> Damage {
    let binary = !path.ends_with(".sql") && !path.ends_with(".json");
    if is_utf16(head) {
        return Damage::Utf16;
    }
    if binary && is_reencoded(head) {
        return Damage::Reencoded;
    }
    if bytes < written {
        return Damage::Truncated;
    }
    if bytes > written && contains(head, b"\r\n") {
        return Damage::LineEnds;
    }
    Damage::Changed
}

/// What a file without a manifest is.
///
/// # Errors
/// What became of it, when it is not one that pg_dump wrote.
pub fn recognise(head: &[u8]) -> Result<DumpForm, Damage> {
    if head.is_empty() {
        return Err(Damage::Truncated);
    }
    if is_utf16(head) {
        return Err(Damage::Utf16);
    }
    if head.starts_with(ARCHIVE) {
        // The first bytes are all small numbers, which a conversion leaves alone.
        return if is_reencoded(head) { Err(Damage::Reencoded) } else { Ok(DumpForm::Archive) };
    }
    if contains(head, b"ustar") && head.starts_with(b"toc.dat") {
        return Ok(DumpForm::Tar);
    }
    if contains(head, b"PostgreSQL database dump") {
        return Ok(DumpForm::Script);
    }
    if is_reencoded(head) { Err(Damage::Reencoded) } else { Err(Damage::Changed) }
}

/// A byte order mark, or every second byte NUL after the magic number was widened.
fn is_utf16(head: &[u8]) -> bool {
    let widened =
        |at: usize| ARCHIVE.iter().enumerate().all(|(i, b)| head.get(2 * i + at) == Some(b));
    head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || widened(0) || widened(1)
}

/// Binary that was taken for text: it is valid UTF-8 all through, with control characters or
/// replacement characters that no text has, or with a magic number's bytes replaced by `?`. Of
/// random bytes not one in thousands is valid UTF-8 that far.
fn is_reencoded(head: &[u8]) -> bool {
    let is_odd = |c: char| matches!(c, '\u{80}'..='\u{9f}' | '\u{fffd}' | '\u{feff}');
    let marked = |magic: &&[u8]| -> bool {
        let marked: Vec<u8> = magic.iter().map(|b| if b.is_ascii() { *b } else { b'?' }).collect();
        !magic.is_ascii() && head.starts_with(&marked)
    };
    text_of(head).is_some_and(|text| text.contains(is_odd)) || MAGICS.iter().any(marked)
}

/// The bytes as UTF-8, when they are that up to a character that is cut at the end.
fn text_of(head: &[u8]) -> Option<&str> {
    match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_way_of_damage_is_told_apart() {
        let gzip = [0x1f, 0x8b, 8, 0, 0, 0xe9, 1, 2];
        for (path, head, bytes, written, damage) in [
            ("data/1.dat.gz", &gzip[..4], 4, 8, Damage::Truncated),
            ("data/1.dat.gz", &gzip[..], 8, 8, Damage::Changed),
            ("data/1.dat.gz", "\u{1f}\u{8b}\u{8}".as_bytes(), 12, 8, Damage::Reencoded),
            ("data/1.dat.gz", "\u{1f}\u{fffd}\u{8}".as_bytes(), 12, 8, Damage::Reencoded),
            ("data/1.dat.gz", b"\x1f?\x08", 8, 8, Damage::Reencoded),
            ("data/toc.dat", b"\xff\xfeP\0G\0", 16, 8, Damage::Utf16),
            ("data/toc.dat", b"P\0G\0D\0M\0P\0", 16, 8, Damage::Utf16),
            ("roles.sql", b"--\r\n", 5, 4, Damage::LineEnds),
        ] {
            assert_eq!(damage_of(path, head, bytes, written), damage, "{path} {head:?}");
        }
    }

    #[test]
    fn dumps_are_recognised() {
        assert_eq!(recognise(b"PGDMP\x01\x0e\0\x04\x08"), Ok(DumpForm::Archive));
        assert_eq!(recognise(b"--\n-- PostgreSQL database dump\n--\n"), Ok(DumpForm::Script));
        assert_eq!(recognise(b"\xef\xbb\xbfPGDMP"), Err(Damage::Reencoded));
        assert_eq!(recognise(b""), Err(Damage::Truncated));
        assert_eq!(recognise(b"hello"), Err(Damage::Changed));
        let late = [b"PGDMP\x01\x0e".as_slice(), &[1; 500], "\u{8b}\u{e9}".as_bytes()].concat();
        assert_eq!(recognise(&late), Err(Damage::Reencoded));
        let latin =
            [b"PGDMP\x01\x0e".as_slice(), &[1; 500], &[0x8b, 0xe9, 0xef, 0xbf, 0xbd]].concat();
        assert_eq!(recognise(&latin), Ok(DumpForm::Archive));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(head in proptest::collection::vec(any::<u8>(), 0..600), n in 0u64..9) {
            let _ = recognise(&head);
            let _ = damage_of("data/toc.dat", &head, n, 4);
        }
    }
}
