//! How output may look: colour, characters, width.
//!
//! Invariant: the decision is made once, from the flags and the surroundings of one stream.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style as Paint};

/// The width that text is wrapped at where no terminal gives one, in columns.
const WIDTH_DEFAULT: usize = 100;
/// Narrower terminals are treated as this wide: one word a line helps nobody.
const WIDTH_MIN: usize = 40;
/// Prose is not set wider than this, however wide the terminal is.
const WIDTH_MAX: usize = 140;

/// How one stream may be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Escape sequences for colour are understood and wanted.
    pub colour: bool,
    /// Characters beyond ASCII can be shown.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

/// A standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a [`Style`] is decided from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The stream is a terminal.
    pub terminal: bool,
    /// The terminal's width in columns, when it has one.
    pub columns: Option<usize>,
    /// `--no-color` was given.
    pub flag_no_color: bool,
    /// `NO_COLOR` (no-color.org: any value but the empty one).
    pub no_color: Option<String>,
    /// `CLICOLOR_FORCE` (bixense.com/clicolors: any value but `0`).
    pub clicolor_force: Option<String>,
    /// `TERM`.
    pub term: Option<String>,
    /// The first of `LC_ALL`, `LC_CTYPE` and `LANG` that is not empty.
    pub locale: Option<String>,
}

/// What a piece of text means; its colour follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// An error, or something that loses data.
    Bad,
    /// A warning.
    Doubtful,
    /// A note.
    Note,
    /// Something is as it should be.
    Good,
    /// Less important than the rest.
    Faint,
    /// More important than the rest.
    Strong,
    /// Something to type.
    Command,
    /// A frame around quoted text.
    Frame,
}

impl Style {
    /// Neither colour nor anything beyond ASCII.
    #[cfg(test)]
    pub const fn plain(width: usize) -> Self {
        Self { colour: false, unicode: false, width }
    }

    /// Looks at a stream and at the environment.
    pub fn detect(stream: Stream, flag_no_color: bool) -> Self {
        Self::decide(&Surroundings::of(stream, flag_no_color))
    }

    /// Decides from the surroundings alone.
    pub fn decide(around: &Surroundings) -> Self {
        let width = around.columns.filter(|_| around.terminal).unwrap_or(WIDTH_DEFAULT);
        Self {
            colour: wants_colour(around),
            unicode: speaks_unicode(around),
            width: width.clamp(WIDTH_MIN, WIDTH_MAX),
        }
    }

    /// The text, coloured as its role asks.
    pub fn paint(&self, role: Role, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let paint = paint_of(role);
        format!("{paint}{text}{paint:#}")
    }

    /// The first when characters beyond ASCII can be shown, else the second.
    pub fn glyph<'t>(&self, unicode: &'t str, ascii: &'t str) -> &'t str {
        if self.unicode { unicode } else { ascii }
    }
}

impl Surroundings {
    /// Those of a stream of this process.
    pub fn of(stream: Stream, flag_no_color: bool) -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
        Self {
            terminal: match stream {
                Stream::Out => std::io::stdout().is_terminal(),
                Stream::Err => std::io::stderr().is_terminal(),
            },
            columns: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            flag_no_color,
            no_color: variable("NO_COLOR"),
            clicolor_force: variable("CLICOLOR_FORCE"),
            term: variable("TERM"),
            locale,
        }
    }
}

fn wants_colour(around: &Surroundings) -> bool {
    if around.flag_no_color || around.no_color.as_deref().is_some_and(|value| !value.is_empty()) {
        return false;
    }
    if around.clicolor_force.as_deref().is_some_and(|value| value != "0") {
        return true;
    }
    around.terminal && around.term.as_deref() != Some("dumb")
}

/// Without a locale a pipe is taken for UTF-8 (CI logs, files), and so is a terminal; only the C
/// locale, another encoding or a dumb terminal say otherwise.
fn speaks_unicode(around: &Surroundings) -> bool {
    if around.terminal && around.term.as_deref() == Some("dumb") {
        return false;
    }
    let Some(locale) = around.locale.as_deref() else { return true };
    let lower = locale.to_ascii_lowercase();
    lower.contains("utf-8")
        || lower.contains("utf8")
        || !(lower == "c" || lower == "posix" || lower.contains('.'))
}

fn paint_of(role: Role) -> Paint {
    let bold = |colour: AnsiColor| Paint::new().fg_color(Some(colour.into())).bold();
    match role {
        Role::Bad => bold(AnsiColor::Red),
        Role::Doubtful => bold(AnsiColor::Yellow),
        Role::Note => bold(AnsiColor::Cyan),
        Role::Good => Paint::new().fg_color(Some(AnsiColor::Green.into())),
        Role::Faint => Paint::new().dimmed(),
        Role::Strong => Paint::new().bold(),
        Role::Command => Paint::new().fg_color(Some(AnsiColor::Cyan.into())),
        Role::Frame => bold(AnsiColor::Blue),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Surroundings {
        Surroundings {
            terminal: true,
            columns: Some(120),
            term: Some("xterm".into()),
            locale: Some("en_US.UTF-8".into()),
            ..Surroundings::default()
        }
    }

    #[test]
    fn colour_follows_flag_variables_and_terminal() {
        let colour = |around: Surroundings| Style::decide(&around).colour;
        assert!(colour(terminal()));
        assert!(!colour(Surroundings { terminal: false, ..terminal() }));
        assert!(!colour(Surroundings { term: Some("dumb".into()), ..terminal() }));
        assert!(!colour(Surroundings { no_color: Some("1".into()), ..terminal() }));
        assert!(colour(Surroundings { no_color: Some(String::new()), ..terminal() }));
        let forced =
            Surroundings { clicolor_force: Some("1".into()), terminal: false, ..terminal() };
        assert!(colour(forced.clone()));
        assert!(!colour(Surroundings { flag_no_color: true, ..forced.clone() }));
        assert!(!colour(Surroundings { no_color: Some("1".into()), ..forced.clone() }));
        assert!(!colour(Surroundings { clicolor_force: Some("0".into()), ..forced }));
    }

    #[test]
    fn width_comes_from_a_terminal_only_and_is_kept_within_reason() {
        let width = |terminal_is: bool, columns: Option<usize>| {
            Style::decide(&Surroundings { terminal: terminal_is, columns, ..terminal() }).width
        };
        assert_eq!(width(true, Some(120)), 120);
        assert_eq!(width(false, Some(60)), WIDTH_DEFAULT);
        assert_eq!(width(true, None), WIDTH_DEFAULT);
        assert_eq!(width(true, Some(3)), WIDTH_MIN);
        assert_eq!(width(true, Some(500)), WIDTH_MAX);
    }

    #[test]
    fn unicode_follows_the_locale() {
        let unicode = |locale: Option<&str>| {
            let locale = locale.map(str::to_owned);
            Style::decide(&Surroundings { locale, ..terminal() }).unicode
        };
        assert!(unicode(Some("de_DE.utf8")));
        assert!(unicode(Some("C.UTF-8")));
        assert!(unicode(None));
        assert!(!unicode(Some("C")));
        assert!(!unicode(Some("POSIX")));
        assert!(!unicode(Some("de_DE.ISO-8859-1")));
    }
}
