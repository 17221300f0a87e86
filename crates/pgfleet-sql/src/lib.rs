//! SQL text: decoding, splitting, positions, classification, quoting. Pure: text in, data out.
//!
//! Invariant: no input panics; every range is a range of bytes in the text that was passed in.

pub mod classify;
mod cursor;
pub mod definition;
mod keyword;
mod lex;
pub mod name;
pub mod position;
pub mod restriction;
mod row_change;
pub mod rows;
pub mod script;
pub mod shape;
pub mod source;
pub mod split;
pub mod syntax;
mod words;

pub use classify::{
    ColumnDecl, DataLoss, Facts, Kind, LockMode, LockUse, ObjectKind, ObjectRef, Rename, Rerun,
    Severity, Transaction, classify,
};
pub use name::{
    QualifiedName, QuoteError, is_keyword, parse_qualified, quote_ident, quote_ident_always,
    quote_literal, quote_literal_standard, quote_text,
};
pub use position::{LineIndex, Position, char_to_byte};
pub use row_change::{Narrowed, NotCuttable, RowChange};
pub use rows::RowsElsewhere;
pub use script::{
    IDENTIFIERS, Item, Problem, Script, Substitution, Variables, read_script, read_script_given,
    read_script_with,
};
pub use source::{DecodeError, Encoding, Newlines, SourceText, TextStream, decode};
pub use split::{Construct, Part, Piece, PieceKind, ScriptStream, Unterminated, split};
pub use syntax::SyntaxError;
pub use words::bare_words;
