//! How many rows a rehearsal works with.

use std::fmt;
use std::str::FromStr;

/// Which rows of the target are copied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowChoice {
    /// Every one.
    All,
    /// About this many of each table, and what they refer to.
    Count(u64),
    /// About this share of each table, 0 to 100, and what they refer to.
    Percent(f64),
}

/// A text that is no choice of rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a number of rows, nor a share as 10%, nor all")]
pub struct UnknownRowChoice(String);

impl FromStr for RowChoice {
    type Err = UnknownRowChoice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownRowChoice(text.to_owned());
        if text == "all" {
            return Ok(Self::All);
        }
        let Some(share) = text.strip_suffix('%') else {
            return text.parse().ok().filter(|n| *n > 0).map(Self::Count).ok_or_else(unknown);
        };
        let share: f64 = share.trim().parse().map_err(|_| unknown())?;
        match share {
            100.0 => Ok(Self::All),
            _ if share > 0.0 && share < 100.0 => Ok(Self::Percent(share)),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for RowChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all rows"),
            Self::Count(1) => f.write_str("about one row of each table"),
            Self::Count(count) => write!(f, "about {count} rows of each table"),
            Self::Percent(share) => write!(f, "about {share} % of the rows"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read() {
        for (text, choice) in [
            ("all", RowChoice::All),
            ("100%", RowChoice::All),
            ("500", RowChoice::Count(500)),
            ("10%", RowChoice::Percent(10.0)),
            ("0.5 %", RowChoice::Percent(0.5)),
        ] {
            assert_eq!(text.parse(), Ok(choice));
        }
        for text in ["", "0", "-1", "0%", "-5%", "nan%", "inf%", "200%", "ten", "1e3"] {
            assert!(text.parse::<RowChoice>().is_err(), "{text}");
        }
    }
}
