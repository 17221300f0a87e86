//! What a rule sees: one statement, what came before it, and the tables as they are.

use std::cell::OnceCell;
use std::ops::Range;

use pgfleet_sql::shape::{Action, ActionKind, ColumnShape, ConstraintShape, Shape, words_range};
use pgfleet_sql::{Facts, QualifiedName, bare_words, quote_ident};

use super::finding::{Finding, StatementId};
use super::model::{Model, Origin, Table};
use crate::diagnose::Severity;
use crate::folder::{Migration, TransactionMode};
use crate::preflight::spelled;
use crate::program::Statement;

/// How a rule is called.
#[derive(Debug)]
pub(super) enum Look {
    /// For each statement, before the model has taken it.
    Statement(fn(&Scene<'_>) -> Vec<Finding>),
    /// Once, when all statements were walked.
    End(fn(&End<'_>) -> Vec<Finding>),
}

/// A statement with its shape and its transaction.
#[derive(Debug)]
pub(super) struct Looked<'a> {
    pub statement: &'a Statement,
    pub shape: Shape,
    /// Statements of one number commit together; none is a transaction of its own.
    pub transaction: Option<usize>,
    /// The file itself opened that transaction.
    pub explicit: bool,
}

/// One statement in its surroundings.
pub(super) struct Scene<'a> {
    pub at: StatementId,
    pub migration: &'a Migration,
    /// All statements of the migration.
    pub all: &'a [Looked<'a>],
    /// The tables before the statement.
    pub model: &'a Model,
    /// Tables up to this many rows may be locked for a moment.
    pub small_table_rows: u64,
    /// A statement of the migration adds a value to an enum.
    pub adds_enum_value: bool,
    /// The statement's words, once a rule asked for them.
    pub words: OnceCell<Vec<String>>,
}

/// The end of the walk.
pub(super) struct End<'a> {
    pub model: &'a Model,
    pub programs: &'a [Vec<Looked<'a>>],
}

/// A constraint that is added to a table.
#[derive(Clone, Copy)]
pub(super) struct Added<'a> {
    pub table: &'a QualifiedName,
    pub constraint: &'a ConstraintShape,
    /// The new column that it is declared with.
    pub column: Option<&'a ColumnShape>,
}

/// How much a lock on a table is felt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Busy {
    /// As many rows as the statistics say, and few.
    Small { rows: u64 },
    /// As many rows as the statistics say, and bytes.
    Large { rows: u64, bytes: u64 },
    /// Nobody knows.
    Unknown,
}

impl Busy {
    pub(super) fn severity(&self) -> Severity {
        match self {
            Self::Small { .. } => Severity::Note,
            Self::Large { .. } => Severity::Error,
            Self::Unknown => Severity::Warning,
        }
    }

    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Self::Small { rows } => {
                Some(format!("the table has about {} rows, so it is short", grouped(*rows)))
            }
            Self::Large { rows, bytes } => {
                let mebibytes = bytes / (1 << 20);
                Some(format!("the table has about {} rows, {mebibytes} MiB", grouped(*rows)))
            }
            Self::Unknown => None,
        }
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl<'a> Scene<'a> {
    pub(super) fn looked(&self) -> &'a Looked<'a> {
        &self.all[self.at.1]
    }

    pub(super) fn statement(&self) -> &'a Statement {
        self.looked().statement
    }

    pub(super) fn facts(&self) -> &'a Facts {
        &self.statement().facts
    }

    pub(super) fn shape(&self) -> &'a Shape {
        &self.looked().shape
    }

    pub(super) fn sql(&self) -> &'a str {
        &self.statement().sql
    }

    /// The actions of an `ALTER TABLE` of a table that is there, with it.
    pub(super) fn actions(&self) -> impl Iterator<Item = (&'a QualifiedName, &'a Action)> {
        let alter = match self.shape() {
            Shape::AlterTable(alter) => Some(alter),
            _ => None,
        };
        alter
            .into_iter()
            .flat_map(|alter| alter.actions.iter().map(move |action| (&alter.table, action)))
    }

    /// The constraints that an `ALTER TABLE` adds, those of new columns too.
    pub(super) fn added_constraints(&self) -> impl Iterator<Item = Added<'a>> {
        self.actions().flat_map(|(table, action)| {
            let (own, inline) = match &action.kind {
                ActionKind::AddConstraint(shape) => (Some(&**shape), None),
                ActionKind::AddColumn { column, .. } => (None, Some(&**column)),
                _ => (None, None),
            };
            let of_column = inline.into_iter().flat_map(|column| &column.constraints);
            let added = own.into_iter().chain(of_column);
            added.map(move |constraint| Added { table, constraint, column: inline })
        })
    }

    /// The columns that a `CREATE TABLE` or `ADD COLUMN` declares, with their table.
    pub(super) fn declared_columns(
        &self,
    ) -> impl Iterator<Item = (&'a QualifiedName, &'a ColumnShape)> {
        let created = match self.shape() {
            Shape::CreateTable(table) => Some(&**table),
            _ => None,
        };
        let created = created
            .into_iter()
            .flat_map(|table| table.columns.iter().map(move |column| (&table.name, column)));
        let added = self.actions().filter_map(|(table, action)| match &action.kind {
            ActionKind::AddColumn { column, .. } => Some((table, &**column)),
            _ => None,
        });
        created.chain(added)
    }

    /// The types that the statement gives to columns, spelled one way, and where they stand.
    pub(super) fn given_types(&self) -> Vec<(QualifiedName, String, String, Range<usize>)> {
        let declared = self.declared_columns().map(|(table, column)| {
            let spelled = spelled(&column.type_text);
            (table.clone(), column.name.clone(), spelled, column.type_range.clone())
        });
        let changed = self.actions().filter_map(|(table, action)| match &action.kind {
            ActionKind::SetType { column, type_text, .. } => {
                Some((table.clone(), column.clone(), spelled(type_text), action.range.clone()))
            }
            _ => None,
        });
        declared.chain(changed).collect()
    }

    pub(super) fn finding(&self, range: &Range<usize>, what: impl Into<String>) -> Finding {
        Finding::new(self.at, self.statement(), range, what.into())
    }

    /// A finding that marks the first of these words, or else the statement's first word.
    pub(super) fn finding_at(&self, words: &[&str], what: impl Into<String>) -> Finding {
        let range = words_range(self.sql(), words).unwrap_or_else(|| self.first_word());
        self.finding(&range, what)
    }

    /// A finding that marks the command: `DROP TABLE`.
    pub(super) fn finding_here(&self, what: impl Into<String>) -> Finding {
        let words: Vec<_> = self.facts().label.split(' ').collect();
        self.finding_at(&words, what)
    }

    fn first_word(&self) -> Range<usize> {
        let sql = self.sql();
        let start = sql.find(|c: char| !c.is_whitespace()).unwrap_or(0);
        let length = sql[start..].find(|c: char| !c.is_alphanumeric()).unwrap_or(1);
        start..start + length
    }

    /// Whether a word stands anywhere outside strings and quotes.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.get_or_init(|| bare_words(self.sql())).iter().any(|found| found == word)
    }

    /// The table as it is before the statement.
    pub(super) fn table(&self, name: &QualifiedName) -> Option<&'a Table> {
        self.model.table(name)
    }

    /// How much a lock on the table is felt; none when the table is new and therefore not in use.
    pub(super) fn busy(&self, name: &QualifiedName) -> Option<Busy> {
        let Some(table) = self.model.table(name) else { return Some(Busy::Unknown) };
        if table.temporary || self.model.is_new(table, self.at.0) {
            return None;
        }
        let Some(size) = table.size else { return Some(Busy::Unknown) };
        if size.rows <= self.small_table_rows {
            return Some(Busy::Small { rows: size.rows });
        }
        Some(Busy::Large { rows: size.rows, bytes: size.bytes })
    }

    /// The earlier statements that commit together with this one, the first one first.
    pub(super) fn before(&self) -> impl Iterator<Item = &'a Looked<'a>> {
        let transaction = self.looked().transaction;
        let same =
            move |looked: &&Looked<'_>| transaction.is_some() && looked.transaction == transaction;
        self.all[..self.at.1].iter().filter(same)
    }

    /// Whether the file is written to run outside a transaction.
    pub(super) fn opts_out(&self) -> bool {
        self.migration.transaction == TransactionMode::Never
    }
}

/// Column names as SQL has them, separated by commas.
pub(super) fn quoted_list(columns: &[String]) -> String {
    columns.iter().map(|column| quote_ident(column)).collect::<Vec<_>>().join(", ")
}

impl End<'_> {
    /// A finding where something came to be; none for what was there before.
    pub(super) fn finding(&self, origin: &Origin, what: impl Into<String>) -> Option<Finding> {
        let looked = self.programs.get(origin.at.0)?.get(origin.at.1)?;
        Some(Finding::new(origin.at, looked.statement, &origin.range, what.into()))
    }
}
