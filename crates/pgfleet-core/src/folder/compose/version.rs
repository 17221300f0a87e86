//! The next version of a folder: numbered on, or a time, as those that are there.

use super::Moment;

/// How versions of a folder look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `20240102030405`.
    Time,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// 1, 2, 3 …, with leading zeros up to this width.
    Number(usize),
}

/// The digits that the next version has, greater than all of `existing`; `usual` is the shape for an
/// empty folder.
pub(super) fn next(existing: &[&str], usual: Shape, now: &Moment) -> String {
    let last = existing.iter().max_by_key(|digits| value(digits));
    let shape = last.map_or(usual, |digits| shape(digits));
    let fresh = match shape {
        Shape::Time => now.digits.clone(),
        Shape::Seconds => now.unix_ms.div_euclid(1000).to_string(),
        Shape::Milliseconds => now.unix_ms.to_string(),
        Shape::Number(width) => return numbered_on(existing, width),
    };
    match last {
        Some(last) if value(last) >= value(&fresh) => (value(last) + 1).to_string(),
        _ => fresh,
    }
}

fn value(digits: &str) -> u128 {
    digits.parse().unwrap_or(0)
}

fn shape(digits: &str) -> Shape {
    match digits.len() {
        14.. => Shape::Time,
        13 => Shape::Milliseconds,
        10 => Shape::Seconds,
        8 if digits.starts_with("20") || digits.starts_with("19") => Shape::Time,
        width => Shape::Number(width),
    }
}

/// The next in steps of ten or a hundred where all are such.
fn numbered_on(existing: &[&str], width: usize) -> String {
    let is_step = |step: &u128| existing.iter().all(|digits| value(digits).is_multiple_of(*step));
    let step = [100, 10].into_iter().find(is_step).filter(|_| !existing.is_empty()).unwrap_or(1);
    let last = existing.iter().map(|digits| value(digits)).max().unwrap_or(0);
    // A single 0 says nothing about steps.
    let step = if last == 0 { 1 } else { step };
    format!("{:0width$}", last + step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Moment {
        Moment { unix_ms: 1_709_210_096_000, digits: "20240229123456".to_owned() }
    }

    #[test]
    fn versions_go_on_as_they_began() {
        for (existing, expected) in [
            (&[][..], "20240229123456"),
            (&["001", "002"], "003"),
            (&["1", "9"], "10"),
            (&["0010", "0020"], "0030"),
            (&["100", "200"], "300"),
            (&["0"], "1"),
            (&["20230101000000"], "20240229123456"),
            (&["20240229123456"], "20240229123457"),
            (&["20990101000000"], "20990101000001"),
            (&["1500000000000"], "1709210096000"),
            (&["1500000000"], "1709210096"),
            (&["20230101"], "20240229123456"),
        ] {
            assert_eq!(next(existing, Shape::Time, &now()), expected, "{existing:?}");
        }
        assert_eq!(next(&[], Shape::Number(4), &now()), "0001");
    }
}
