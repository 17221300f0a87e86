//! Reads a psql script as data: what would be sent to the server, and what stands in the way.
//!
//! Invariant: items are in the script's order and every range is a range of the script's own text.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::split::Construct;

/// psql's variables: what `\set` sets and `:NAME` reads.
pub type Variables = BTreeMap<String, String>;

/// A script's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// What the script does, in order.
    pub items: Vec<Item>,
    /// What prevents it from being run, or from meaning what was meant.
    pub problems: Vec<Problem>,
    /// The variables as they are after the script.
    pub variables: Variables,
}

/// One thing a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Send a statement.
    Statement {
        /// The statement, including its semicolon.
        range: Range<usize>,
        /// What to send instead of the range's text, when variables were substituted in it or psql
        /// commands stand inside it.
        substituted: Option<Substitution>,
    },
    /// Send a `COPY … FROM STDIN` and then its data.
    Copy {
        /// The statement, including its semicolon.
        statement: Range<usize>,
        /// What to send instead of the statement's text, as for [`Item::Statement`].
        substituted: Option<Substitution>,
        /// The data lines, without the closing `\.` line.
        data: Range<usize>,
    },
    /// Read another file here.
    Include {
        /// The path as written.
        path: String,
        /// Relative to this script's folder (`\ir`) and not to the working directory (`\i`).
        relative: bool,
        /// The command.
        range: Range<usize>,
        /// The variables that the other file sees.
        variables: Variables,
    },
    /// A psql command without effect on the database.
    Ignored {
        /// The command's name without backslash.
        command: String,
        /// The command.
        range: Range<usize>,
    },
}

/// A statement's text after psql's substitutions, with the way back to the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// The text to send.
    pub text: String,
    /// Replaced parts in order: the range in `text` and the range in the script it stands for.
    pub replaced: Vec<(Range<usize>, Range<usize>)>,
    /// Where the statement begins in the script.
    pub start: usize,
}

impl Substitution {
    /// The byte offset in the script of a byte offset in `text`; inside a replaced part, where that
    /// part begins.
    #[must_use]
    pub fn original(&self, offset: usize) -> usize {
        let (mut here, mut there) = (0, self.start);
        for (new, old) in &self.replaced {
            if offset < new.start {
                break;
            }
            if offset < new.end {
                return old.start;
            }
            (here, there) = (new.end, old.end);
        }
        there + (offset - here)
    }
}

/// Something wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A psql command that pgfleet does not carry out.
    Refused {
        /// The command's name without backslash.
        command: String,
        /// Why not.
        reason: String,
        /// What to do instead.
        fix: String,
        /// The command.
        range: Range<usize>,
    },
    /// Something is opened and never closed.
    Unterminated {
        /// What.
        construct: Construct,
        /// Byte offset of its opening.
        opened_at: usize,
    },
    /// `COPY … FROM STDIN` without a closing `\.` line.
    CopyWithoutEnd {
        /// The statement.
        statement: Range<usize>,
    },
    /// `:'NAME'` or `:"NAME"` of a variable that no `\set` sets.
    UnsetVariable {
        /// The variable's name.
        name: String,
        /// The reference.
        range: Range<usize>,
    },
    /// A variable whose value, put in its place, would end the statement or leave something open.
    UnsafeVariable {
        /// The variable's name.
        name: String,
        /// The reference.
        range: Range<usize>,
    },
}

/// Reads a script without any variable set from outside.
#[must_use]
pub fn read_script(text: &str) -> Script {
    read_script_with(text, Variables::new())
}

/// Reads a script with variables set before it, as `psql -v` or an including script does.
#[must_use]
pub fn read_script_with(text: &str, variables: Variables) -> Script {
    let _ = text;
    Script { items: Vec::new(), problems: Vec::new(), variables }
}
