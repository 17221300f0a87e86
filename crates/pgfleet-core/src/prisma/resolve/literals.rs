//! Values as Prisma spells them in SQL.

/// An integer without leading zeros.
pub(super) fn integer(text: &str) -> Option<String> {
    text.parse::<i64>().ok().map(|number| number.to_string())
}

/// A decimal number: leading zeros go, those behind the point stay, and zero has no sign.
pub(super) fn decimal(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !numeric(whole) || !numeric(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = whole == "0" && fraction.bytes().all(|byte| byte == b'0');
    let sign = if zero { "" } else { sign };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// A moment in RFC 3339 as `2020-01-31 10:00:00.5 +02:00`: fractions of a second have 3, 6 or 9
/// digits.
pub(super) fn date_time(text: &str) -> Option<String> {
    let date = text.get(..10).filter(|date| has_shape(date, "dddd-dd-dd"))?;
    text.get(10..11).filter(|between| matches!(*between, "T" | "t" | " "))?;
    let time = text.get(11..19).filter(|time| has_shape(time, "dd:dd:dd"))?;
    let rest = text.get(19..)?;
    let zone_at = rest.find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let (fraction, zone) = rest.split_at(zone_at);
    let zone = match zone {
        "Z" | "z" => "+00:00",
        zone => zone.get(1..).filter(|offset| has_shape(offset, "dd:dd")).map(|_| zone)?,
    };
    Some(format!("{date} {time}{} {zone}", fraction_of_a_second(fraction)?))
}

fn fraction_of_a_second(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let digits = text.strip_prefix('.').filter(|digits| !digits.is_empty())?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
    let significant = digits.get(..9).unwrap_or(digits).trim_end_matches('0');
    let width = significant.len().div_ceil(3) * 3;
    Some(if width == 0 { String::new() } else { format!(".{significant:0<width$}") })
}

/// `d` stands for a digit, everything else for itself.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| {
            if wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted }
        })
}

/// Base64 as PostgreSQL's hexadecimal form.
pub(super) fn bytes(base64: &str) -> Option<String> {
    let content = base64.trim_end_matches('=');
    if !base64.len().is_multiple_of(4) || base64.len() - content.len() > 2 {
        return None;
    }
    let mut hexadecimal = String::from("\\x");
    for group in content.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for byte in group {
            bits = bits << 6 | sextet(*byte)?;
        }
        bits <<= 6 * (4 - group.len());
        for byte in bits.to_be_bytes().iter().skip(1).take(group.len() * 6 / 8) {
            hexadecimal.push_str(&format!("{byte:02x}"));
        }
    }
    Some(hexadecimal)
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_prisma_does() {
        assert_eq!(integer("-007").as_deref(), Some("-7"));
        assert_eq!(integer("99999999999999999999"), None);
        for (text, spelled) in [("1.50", "1.50"), ("-0.0", "0.0"), ("007.5", "7.5"), ("-3", "-3")] {
            assert_eq!(decimal(text).as_deref(), Some(spelled));
        }
        assert_eq!(decimal("1e5"), None);
    }

    #[test]
    fn moments_are_spelled_as_prisma_does() {
        for (text, spelled) in [
            ("2020-01-31T10:00:00Z", "2020-01-31 10:00:00 +00:00"),
            ("2020-01-31T10:00:00.5+02:00", "2020-01-31 10:00:00.500 +02:00"),
            ("2020-01-31T10:00:00.000Z", "2020-01-31 10:00:00 +00:00"),
            ("2020-01-31T10:00:00.1234567-02:00", "2020-01-31 10:00:00.123456700 -02:00"),
        ] {
            assert_eq!(date_time(text).as_deref(), Some(spelled));
        }
        for text in ["", "2020-01-31", "2020-01-31T10:00:00", "2020-01-31T10:00:00.é"] {
            assert_eq!(date_time(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_are_hexadecimal() {
        for (base64, hexadecimal) in
            [("", "\\x"), ("SGVsbG8=", "\\x48656c6c6f"), ("/+8=", "\\xffef")]
        {
            assert_eq!(bytes(base64).as_deref(), Some(hexadecimal));
        }
        assert_eq!(bytes("a"), None);
        assert_eq!(bytes("é==="), None);
    }
}
