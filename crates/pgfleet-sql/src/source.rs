//! Turns the bytes of a migration file into text, remembering how they were encoded.
//!
//! Invariant: the text is exactly what the bytes say, line endings included; only a byte order mark
//! is removed. Bytes that are not text are refused with the offset of the first bad one.

use std::borrow::Cow;

use encoding_rs::{Encoding as Charset, UTF_16BE, UTF_16LE};

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF16_LE_MARK: &[u8] = b"\xFF\xFE";
const UTF16_BE_MARK: &[u8] = b"\xFE\xFF";
/// How much of a file without a byte order mark is looked at to recognise UTF-16.
const GUESS_BYTES: usize = 4096;

/// How a file's bytes spell its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 that begins with a byte order mark.
    Utf8Bom,
    /// UTF-16, low byte first, with or without a byte order mark.
    Utf16Le,
    /// UTF-16, high byte first, with or without a byte order mark.
    Utf16Be,
}

impl Encoding {
    /// The name that a plan file has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Utf8Bom => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
        }
    }

    /// Reads [`Encoding::name`] back; a byte order mark makes no difference inside a file.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        [Self::Utf8, Self::Utf16Le, Self::Utf16Be].into_iter().find(|known| known.name() == name)
    }

    /// The bytes that spell a text, as they are in the file.
    #[must_use]
    pub fn encode(self, text: &str) -> Cow<'_, [u8]> {
        let units = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        match self {
            Self::Utf8 | Self::Utf8Bom => Cow::Borrowed(text.as_bytes()),
            Self::Utf16Le => Cow::Owned(units(u16::to_le_bytes)),
            Self::Utf16Be => Cow::Owned(units(u16::to_be_bytes)),
        }
    }
}

/// The line endings found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newlines {
    /// Every line ends with LF.
    Lf,
    /// Every line ends with CR LF.
    Crlf,
    /// Both occur.
    Mixed,
    /// There is no line end.
    None,
}

impl Newlines {
    /// The line endings of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let (mut lf, mut crlf, mut previous) = (false, false, 0u8);
        for byte in text.bytes() {
            if byte == b'\n' {
                if previous == b'\r' {
                    crlf = true;
                } else {
                    lf = true;
                }
            }
            previous = byte;
        }
        match (lf, crlf) {
            (true, false) => Self::Lf,
            (false, true) => Self::Crlf,
            (true, true) => Self::Mixed,
            (false, false) => Self::None,
        }
    }
}

/// A decoded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The characters, without the byte order mark; line endings are as in the file.
    pub text: String,
    /// How the bytes were encoded.
    pub encoding: Encoding,
    /// Which line endings the text has.
    pub newlines: Newlines,
}

/// Why bytes are not text; offsets count bytes from the start of the file, 0-based.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A NUL byte in something that is not UTF-16: a binary file.
    #[error("binary data: a NUL byte at offset {offset}")]
    Binary {
        /// Where the NUL byte is.
        offset: usize,
    },
    /// A byte sequence that is not UTF-8.
    #[error("not UTF-8: an invalid byte sequence at offset {offset}")]
    InvalidUtf8 {
        /// Where the sequence begins.
        offset: usize,
    },
    /// An odd number of bytes or an unpaired surrogate in UTF-16.
    #[error("not UTF-16: an invalid code unit at offset {offset}")]
    InvalidUtf16 {
        /// Where the code unit begins.
        offset: usize,
    },
}

/// Decodes a file. UTF-16 without a byte order mark is recognised by where its zero bytes are.
///
/// # Errors
/// [`DecodeError`] when the bytes are not text in a supported encoding.
pub fn decode(bytes: &[u8]) -> Result<SourceText, DecodeError> {
    let (encoding, mark) = detect(bytes);
    let body = bytes.get(mark..).unwrap_or_default();
    let text = match encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => decode_utf8(body, mark)?,
        Encoding::Utf16Le => decode_utf16(body, mark, UTF_16LE, u16::from_le_bytes)?,
        Encoding::Utf16Be => decode_utf16(body, mark, UTF_16BE, u16::from_be_bytes)?,
    };
    let newlines = Newlines::of(&text);
    Ok(SourceText { text, encoding, newlines })
}

/// A file's text, decoded while its bytes come in pieces.
#[derive(Debug)]
pub struct TextStream {
    encoding: Encoding,
    /// Bytes of a character whose rest has not come.
    rest: Vec<u8>,
    /// Offset in the file of the first byte of `rest`.
    offset: usize,
}

impl TextStream {
    /// A file that begins so, and how many of the bytes are its byte order mark, which is not to be
    /// pushed. `total` is the file's size.
    #[must_use]
    pub fn new(beginning: &[u8], total: u64) -> (Self, usize) {
        let (encoding, mark) = detect_in(beginning, total.is_multiple_of(2));
        (Self { encoding, rest: Vec::new(), offset: mark }, mark)
    }

    /// Text inside a file, whose encoding is known; offsets count from where it begins.
    #[must_use]
    pub fn within(encoding: Encoding) -> Self {
        Self { encoding, rest: Vec::new(), offset: 0 }
    }

    /// How the bytes spell characters.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The text of the bytes so far, but for a character that is not complete.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes are not text.
    pub fn push(&mut self, bytes: &[u8]) -> Result<String, DecodeError> {
        self.rest.extend_from_slice(bytes);
        let complete = self.complete();
        let text = self.decode(complete)?;
        self.rest.drain(..complete);
        self.offset += complete;
        Ok(text)
    }

    /// Says that there are no more bytes.
    ///
    /// # Errors
    /// [`DecodeError`] when they end inside a character.
    pub fn finish(self) -> Result<(), DecodeError> {
        self.decode(self.rest.len()).map(|_| ())
    }

    fn decode(&self, length: usize) -> Result<String, DecodeError> {
        let body = &self.rest[..length];
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => decode_utf8(body, self.offset),
            Encoding::Utf16Le => decode_utf16(body, self.offset, UTF_16LE, u16::from_le_bytes),
            Encoding::Utf16Be => decode_utf16(body, self.offset, UTF_16BE, u16::from_be_bytes),
        }
    }

    /// How many bytes end with a whole character.
    fn complete(&self) -> usize {
        let rest = &self.rest;
        let high = |low_first: bool, pair: &[u8]| match pair {
            [a, b] => (0xD8..0xDC).contains(if low_first { b } else { a }),
            _ => false,
        };
        let utf16 = |low_first: bool| {
            let even = rest.len() & !1;
            let last = &rest[even.saturating_sub(2)..even];
            if high(low_first, last) { even - 2 } else { even }
        };
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => match std::str::from_utf8(rest) {
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                _ => rest.len(),
            },
            Encoding::Utf16Le => utf16(true),
            Encoding::Utf16Be => utf16(false),
        }
    }
}

/// The encoding and the length of its byte order mark.
fn detect(bytes: &[u8]) -> (Encoding, usize) {
    detect_in(bytes, bytes.len().is_multiple_of(2))
}

fn detect_in(bytes: &[u8], is_even: bool) -> (Encoding, usize) {
    if bytes.starts_with(UTF8_MARK) {
        (Encoding::Utf8Bom, UTF8_MARK.len())
    } else if bytes.starts_with(UTF16_LE_MARK) {
        (Encoding::Utf16Le, UTF16_LE_MARK.len())
    } else if bytes.starts_with(UTF16_BE_MARK) {
        (Encoding::Utf16Be, UTF16_BE_MARK.len())
    } else {
        (guess(bytes, is_even), 0)
    }
}

/// SQL is mostly ASCII, so UTF-16 shows as zeros in (nearly) every second byte and hardly ever in
/// the others.
fn guess(bytes: &[u8], is_even: bool) -> Encoding {
    let sample = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    let zeros_at =
        |parity: usize| sample.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros_at(0), zeros_at(1));
    let many = sample.len() / 4;
    if !is_even || even + odd == 0 {
        Encoding::Utf8
    } else if odd > many && even * 8 <= odd {
        Encoding::Utf16Le
    } else if even > many && odd * 8 <= even {
        Encoding::Utf16Be
    } else {
        Encoding::Utf8
    }
}

fn decode_utf8(body: &[u8], base: usize) -> Result<String, DecodeError> {
    if let Some(at) = body.iter().position(|byte| *byte == 0) {
        return Err(DecodeError::Binary { offset: base + at });
    }
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(DecodeError::InvalidUtf8 { offset: base + error.valid_up_to() }),
    }
}

fn decode_utf16(
    body: &[u8],
    base: usize,
    charset: &'static Charset,
    unit: fn([u8; 2]) -> u16,
) -> Result<String, DecodeError> {
    let Some(text) = charset.decode_without_bom_handling_and_without_replacement(body) else {
        return Err(DecodeError::InvalidUtf16 { offset: base + first_bad_unit(body, unit) });
    };
    match text.find('\0') {
        Some(at) => {
            let units: usize = text[..at].chars().map(char::len_utf16).sum();
            Err(DecodeError::Binary { offset: base + units * 2 })
        }
        None => Ok(text.into_owned()),
    }
}

fn first_bad_unit(body: &[u8], unit: fn([u8; 2]) -> u16) -> usize {
    let units = body.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut offset = 0;
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(character) => offset += character.len_utf16() * 2,
            Err(_) => return offset,
        }
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn marks_are_removed_and_line_ends_kept() {
        let source = decode(b"\xEF\xBB\xBFSELECT 1;\r\n").unwrap();
        assert_eq!(source.text, "SELECT 1;\r\n");
        assert_eq!((source.encoding, source.newlines), (Encoding::Utf8Bom, Newlines::Crlf));
        assert_eq!(decode(b"a\r\nb\n").unwrap().newlines, Newlines::Mixed);
        assert_eq!(decode(b"").unwrap().newlines, Newlines::None);
    }

    #[test]
    fn utf16_is_read_with_and_without_a_mark() {
        let sql = "SELECT 'é😀';\n";
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{sql}");
            let little = decode(&utf16(&text, u16::to_le_bytes)).unwrap();
            assert_eq!((little.text.as_str(), little.encoding), (sql, Encoding::Utf16Le));
            let big = decode(&utf16(&text, u16::to_be_bytes)).unwrap();
            assert_eq!((big.text.as_str(), big.encoding), (sql, Encoding::Utf16Be));
        }
    }

    fn streamed(bytes: &[u8], size: usize) -> Result<String, DecodeError> {
        let (mut stream, mark) = TextStream::new(bytes, bytes.len() as u64);
        let mut text = String::new();
        for piece in bytes[mark..].chunks(size) {
            text.push_str(&stream.push(piece)?);
        }
        stream.finish().map(|()| text)
    }

    #[test]
    fn pieces_of_any_size_decode_as_the_whole() {
        let sql = "SELECT 'é😀', 'ä';\r\n-- 😀😀\n";
        let marked = format!("\u{feff}{sql}");
        let files = [
            sql.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16(sql, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            b"ab\0c".to_vec(),
            b"abc\xC3".to_vec(),
            b"\xEF\xBB\xBFa\xFFb".to_vec(),
            b"\xFF\xFEa\0b".to_vec(),
            [utf16("\u{feff}ab", u16::to_le_bytes), vec![0x00, 0xD8, 0x61, 0x00]].concat(),
        ];
        for file in files {
            let whole = decode(&file).map(|source| source.text);
            for size in 1..9 {
                assert_eq!(streamed(&file, size), whole, "{file:?} by {size}");
            }
        }
        assert_eq!(*Encoding::Utf16Be.encode("é"), [0, 0xE9]);
    }

    #[test]
    fn what_is_not_text_is_refused_with_its_offset() {
        assert_eq!(decode(b"ab\0c"), Err(DecodeError::Binary { offset: 2 }));
        assert_eq!(decode(b"ab\xFFc"), Err(DecodeError::InvalidUtf8 { offset: 2 }));
        assert_eq!(decode(b"\xEF\xBB\xBFa\xFF"), Err(DecodeError::InvalidUtf8 { offset: 4 }));
        let mut lone = utf16("\u{feff}ab", u16::to_le_bytes);
        lone.extend([0x00, 0xD8, 0x61, 0x00]);
        assert_eq!(decode(&lone), Err(DecodeError::InvalidUtf16 { offset: 6 }));
        assert_eq!(decode(b"\xFF\xFEa\0b"), Err(DecodeError::InvalidUtf16 { offset: 4 }));
    }
}
