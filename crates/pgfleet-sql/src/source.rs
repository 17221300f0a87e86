//! Turns the bytes of a migration file into text, remembering how they were encoded.
//!
//! Invariant: the text is exactly what the bytes say, line endings included; only a byte order mark
//! is removed. Bytes that are not text are refused with the offset of the first bad one.

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
    let newlines = newlines_of(&text);
    Ok(SourceText { text, encoding, newlines })
}

/// The encoding and the length of its byte order mark.
fn detect(bytes: &[u8]) -> (Encoding, usize) {
    if bytes.starts_with(UTF8_MARK) {
        (Encoding::Utf8Bom, UTF8_MARK.len())
    } else if bytes.starts_with(UTF16_LE_MARK) {
        (Encoding::Utf16Le, UTF16_LE_MARK.len())
    } else if bytes.starts_with(UTF16_BE_MARK) {
        (Encoding::Utf16Be, UTF16_BE_MARK.len())
    } else {
        (guess(bytes), 0)
    }
}

/// SQL is mostly ASCII, so UTF-16 shows as zeros in (nearly) every second byte and hardly ever in
/// the others.
fn guess(bytes: &[u8]) -> Encoding {
    let sample = bytes.get(..GUESS_BYTES).unwrap_or(bytes);
    let zeros_at =
        |parity: usize| sample.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros_at(0), zeros_at(1));
    let many = sample.len() / 4;
    if !bytes.len().is_multiple_of(2) || even + odd == 0 {
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

fn newlines_of(text: &str) -> Newlines {
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
        (true, false) => Newlines::Lf,
        (false, true) => Newlines::Crlf,
        (true, true) => Newlines::Mixed,
        (false, false) => Newlines::None,
    }
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
