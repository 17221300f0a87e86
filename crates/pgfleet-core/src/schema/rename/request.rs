//! `[KIND:]OLD=NEW`, as a flag or a comment says it.
//!
//! OLD is a name of the first schema, NEW of the second one. Names have the form that SQL gives them:
//! parts joined by `.`, in double quotes where they hold `.`, `=` or `"`. A name that is not quoted
//! stands for itself, and for its lower-case form where only that is there.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::step::RenameOrigin;
use crate::diagnose::closest_name;
use crate::schema::Kind;

/// What sort of thing is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are what they say")]
pub enum RenameSort {
    Schema,
    Table,
    View,
    Index,
    Sequence,
    Type,
    Collation,
    Function,
    Statistics,
    Publication,
    Constraint,
    Trigger,
    Policy,
    Rule,
    Column,
    Value,
}

/// What may stand before the colon.
const WORDS: &[(&str, RenameSort)] = &[
    ("schema", RenameSort::Schema),
    ("table", RenameSort::Table),
    ("view", RenameSort::View),
    ("index", RenameSort::Index),
    ("sequence", RenameSort::Sequence),
    ("type", RenameSort::Type),
    ("collation", RenameSort::Collation),
    ("function", RenameSort::Function),
    ("statistics", RenameSort::Statistics),
    ("publication", RenameSort::Publication),
    ("constraint", RenameSort::Constraint),
    ("trigger", RenameSort::Trigger),
    ("policy", RenameSort::Policy),
    ("rule", RenameSort::Rule),
    ("column", RenameSort::Column),
    ("value", RenameSort::Value),
];

impl RenameSort {
    /// Every sort.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(_, sort)| *sort)
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(_, sort)| *sort == self).map_or("", |(word, _)| word)
    }

    /// The kinds of objects that are of this sort, or have things of it.
    pub(super) fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Schema => &[Kind::Schema],
            Self::Table => &[Kind::Table, Kind::ForeignTable],
            Self::View => &[Kind::View, Kind::MaterializedView],
            Self::Index => &[Kind::Index],
            Self::Sequence => &[Kind::Sequence],
            Self::Type => &[Kind::Enum, Kind::Domain, Kind::Composite, Kind::Range],
            Self::Collation => &[Kind::Collation],
            Self::Function => &[Kind::Function, Kind::Procedure, Kind::Aggregate],
            Self::Statistics => &[Kind::Statistics],
            Self::Publication => &[Kind::Publication],
            Self::Constraint => &[Kind::Constraint],
            Self::Trigger => &[Kind::Trigger],
            Self::Policy => &[Kind::Policy],
            Self::Rule => &[Kind::Rule],
            Self::Column => &[
                Kind::Table,
                Kind::ForeignTable,
                Kind::View,
                Kind::MaterializedView,
                Kind::Composite,
            ],
            Self::Value => &[Kind::Enum],
        }
    }
}

/// A part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub quoted: bool,
}

impl Word {
    /// True when it stands for a name as it is.
    pub fn is(&self, name: &str) -> bool {
        self.text == name
    }

    /// True when it stands for a name as SQL reads it.
    pub fn may_be(&self, name: &str) -> bool {
        self.is(name) || (!self.quoted && self.text.to_lowercase() == name)
    }
}

/// What somebody wants renamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameRequest {
    pub(super) sort: Option<RenameSort>,
    pub(super) old: Vec<Word>,
    /// Argument types of a function, as they were written.
    pub(super) signature: Option<String>,
    pub(super) new: Vec<Word>,
    /// Who wants it.
    pub origin: RenameOrigin,
    /// As it was written.
    pub(super) text: String,
}

/// Why a text asks for no rename.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum RenameInvalid {
    #[error("there is no single \"=\" between an old and a new name")]
    NoEquals,
    #[error("{0:?} is no name")]
    Name(String),
    #[error("there is no kind {word:?}{}", meant.map_or_else(String::new, |meant| format!("; perhaps {meant:?} is meant")))]
    Kind { word: String, meant: Option<&'static str> },
    #[error("both names are the same")]
    Same,
}

impl FromStr for RenameRequest {
    type Err = RenameInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sort, names) = prefix(text)?;
        let mut sides = split(names, '=').into_iter();
        let (Some(old), Some(new), None) = (sides.next(), sides.next(), sides.next()) else {
            return Err(RenameInvalid::NoEquals);
        };
        let (old, signature) = without_signature(old.trim());
        let (old, new) = (words(old)?, words(without_signature(new.trim()).0)?);
        if old == new {
            return Err(RenameInvalid::Same);
        }
        let origin = RenameOrigin::Asked;
        Ok(Self { sort, old, signature, new, origin, text: text.trim().to_owned() })
    }
}

impl RenameRequest {
    /// The request to take it back; what the new name leaves out it has in common with the old one.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let common = self.old.len().saturating_sub(self.new.len());
        let old = self.old.iter().take(common).chain(&self.new).cloned().collect();
        Self { old, new: self.old.clone(), ..self.clone() }
    }
}

/// As it was written.
impl Display for RenameRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn prefix(text: &str) -> Result<(Option<RenameSort>, &str), RenameInvalid> {
    let Some((word, rest)) = text.split_once(':') else { return Ok((None, text)) };
    let word = word.trim();
    if word.contains(['"', '=', '.', '(']) {
        return Ok((None, text));
    }
    match WORDS.iter().find(|(known, _)| *known == word) {
        Some((_, sort)) => Ok((Some(*sort), rest)),
        None => {
            let meant = closest_name(word, WORDS.iter().map(|(known, _)| *known));
            Err(RenameInvalid::Kind { word: word.to_owned(), meant })
        }
    }
}

/// `f(integer)` is `f` and `integer`.
fn without_signature(name: &str) -> (&str, Option<String>) {
    let head = split(name, '(').first().copied().unwrap_or_default();
    match name[head.len()..].strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => (head, Some(inside.trim().to_owned())),
        None => (name, None),
    }
}

fn words(name: &str) -> Result<Vec<Word>, RenameInvalid> {
    split(name, '.').into_iter().map(|part| word(part.trim())).collect()
}

fn word(part: &str) -> Result<Word, RenameInvalid> {
    let invalid = || RenameInvalid::Name(part.to_owned());
    let inside = part.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let (text, quoted) = match inside {
        Some(inside) => (inside.replace("\"\"", "\""), true),
        None if part.contains('"') => return Err(invalid()),
        None => (part.to_owned(), false),
    };
    if text.is_empty() || text.contains('\0') {
        return Err(invalid());
    }
    Ok(Word { text, quoted })
}

/// A part of a name as a request has it.
pub(super) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// Splits where `at` stands outside of double quotes, and of parentheses unless it is one.
fn split(text: &str, at: char) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut depth) = (Vec::new(), 0, false, 0_usize);
    for (offset, c) in text.char_indices() {
        if c == at && !quoted && depth == 0 {
            pieces.push(&text[start..offset]);
            start = offset + c.len_utf8();
        }
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_sql_writes_them() {
        let parse = |text: &str| text.parse::<RenameRequest>().unwrap();
        let texts = |words: &[Word]| words.iter().map(|w| w.text.clone()).collect::<Vec<_>>();
        let one = parse("column: app.\"Cust.omers\".mail = email");
        assert_eq!(one.sort, Some(RenameSort::Column));
        assert_eq!(texts(&one.old), ["app", "Cust.omers", "mail"]);
        assert_eq!(texts(&one.new), ["email"]);
        let value = parse("value:mood.\"a=\"\"b\"\"\"=so-so");
        assert_eq!(texts(&value.old), ["mood", "a=\"b\""]);
        let function = parse("function:f(integer, app.\"T\")=g");
        assert_eq!(function.signature.as_deref(), Some("integer, app.\"T\""));
        assert_eq!(texts(&function.old), ["f"]);
        assert!(parse("Users=Accounts").old[0].may_be("users"));
        assert!(!parse("\"Users\"=x").old[0].may_be("users"));
    }

    #[test]
    fn what_is_no_rename_says_why() {
        for (text, why) in [
            ("a", "no single"),
            ("a=b=c", "no single"),
            ("=b", "\"\" is no name"),
            ("a.=b", "\"\" is no name"),
            ("a\"b\"=c", "is no name"),
            ("colum:a.b=c", "perhaps \"column\" is meant"),
            ("a=a", "both names are the same"),
        ] {
            let error = text.parse::<RenameRequest>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z:=.\"() ]{0,24}|\\PC{0,24}") {
            if let Ok(request) = text.parse::<RenameRequest>() {
                proptest::prop_assert!(!request.old.is_empty() && !request.new.is_empty());
                // A name without its schema takes that of the other side when it is turned round.
                let settled = request.reversed().reversed().reversed();
                proptest::prop_assert_eq!(settled.reversed().reversed(), settled);
            }
        }
    }
}
