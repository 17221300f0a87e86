//! Reads a psql script as data: what would be sent to the server, and what stands in the way.
//!
//! Invariant: items are in the script's order and every range is a range of the script's own text.

mod commands;
mod substitute;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::split::{Construct, Piece, PieceKind, is_copy_end, read_meta, split};
use commands::Effect;

/// Given variables that name something in the database, so that `:NAME` writes an identifier.
pub const IDENTIFIERS: &[&str] = &["schema", "database"];

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
    /// Values from outside the script; see [`read_script_given`].
    pub given: Variables,
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
    read_script_given(text, variables, &Variables::new())
}

/// Reads a script with values that come from outside and are not trusted: `:NAME` writes them as a
/// literal too (numbers as they are; [`IDENTIFIERS`] as identifiers), where psql would paste the
/// text. What the script sets itself is stronger.
#[must_use]
pub fn read_script_given(text: &str, variables: Variables, given: &Variables) -> Script {
    let script = Script { variables, given: given.clone(), ..Script::default() };
    let mut reader = Reader { text, script, waiting: VecDeque::new() };
    split(text).iter().for_each(|piece| reader.read_piece(piece));
    reader.finish()
}

/// Places in a statement that psql replaces: variables' colons and whole commands, as byte offsets.
#[doc(hidden)]
#[must_use]
pub fn references(statement: &str) -> Vec<(usize, usize)> {
    substitute::find(statement).iter().map(substitute::Found::blanked).collect()
}

struct Reader<'text> {
    text: &'text str,
    script: Script,
    /// Which items are COPY statements whose data has not been read yet.
    waiting: VecDeque<usize>,
}

impl Reader<'_> {
    fn read_piece(&mut self, piece: &Piece) {
        match &piece.kind {
            PieceKind::Statement => self.read_statement(&piece.range),
            PieceKind::Meta => self.read_command(&piece.range, false),
            PieceKind::CopyData => self.read_copy_data(&piece.range),
            PieceKind::Unterminated(what) => {
                let (construct, opened_at) = (what.construct.clone(), what.opened_at);
                self.script.problems.push(Problem::Unterminated { construct, opened_at });
            }
            PieceKind::Trivia => {}
        }
    }

    fn read_statement(&mut self, range: &Range<usize>) {
        let substituted = self.substitute(range);
        let (statement, text) = (range.clone(), &self.text[range.clone()]);
        let item = if is_copy_in(text) {
            self.waiting.push_back(self.script.items.len());
            Item::Copy { data: statement.end..statement.end, statement, substituted }
        } else {
            Item::Statement { range: statement, substituted }
        };
        self.script.items.push(item);
    }

    fn read_copy_data(&mut self, range: &Range<usize>) {
        let item = self.waiting.pop_front().and_then(|at| self.script.items.get_mut(at));
        let Some(Item::Copy { statement, data, .. }) = item else { return };
        let lines = &self.text[range.clone()];
        let last = lines.split_inclusive('\n').next_back().unwrap_or_default();
        if is_copy_end(last) {
            *data = range.start..range.end - last.len();
        } else {
            *data = range.clone();
            self.script.problems.push(Problem::CopyWithoutEnd { statement: statement.clone() });
        }
    }

    fn finish(mut self) -> Script {
        for at in self.waiting {
            if let Some(Item::Copy { statement, .. }) = self.script.items.get(at) {
                self.script.problems.push(Problem::CopyWithoutEnd { statement: statement.clone() });
            }
        }
        self.script
    }

    fn substitute(&mut self, range: &Range<usize>) -> Option<Substitution> {
        let places = substitute::find(&self.text[range.clone()]);
        if places.is_empty() {
            return None;
        }
        for place in &places {
            if let substitute::Found::Command(at) = place {
                self.read_command(&(range.start + at.start..range.start + at.end), true);
            }
        }
        substitute::apply(self.text, range.start..range.end, &places, &mut self.script)
    }

    fn read_command(&mut self, range: &Range<usize>, inside_statement: bool) {
        let meta = read_meta(self.text, range.start);
        let command = meta.command.to_owned();
        let range = range.clone();
        match commands::effect(&meta, &self.script.variables, inside_statement) {
            Effect::Nothing => self.script.items.push(Item::Ignored { command, range }),
            Effect::Set(name, value) => {
                self.script.variables.insert(name, value);
                self.script.items.push(Item::Ignored { command, range });
            }
            Effect::Unset(name) => {
                self.script.variables.remove(&name);
                self.script.items.push(Item::Ignored { command, range });
            }
            Effect::Include { path, relative } => {
                let variables = self.script.variables.clone();
                self.script.items.push(Item::Include { path, relative, range, variables });
            }
            Effect::Refuse { reason, fix } => {
                let (reason, fix) = (reason.to_owned(), fix.to_owned());
                self.script.problems.push(Problem::Refused { command, reason, fix, range });
            }
        }
    }
}

/// Whether a statement asks for COPY data.
pub(crate) fn is_copy_in(statement: &str) -> bool {
    let starts = statement.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("copy"));
    starts && crate::split::is_copy_in(statement)
}
