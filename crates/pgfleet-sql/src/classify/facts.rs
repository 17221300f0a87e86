//! The vocabulary of what a statement does.
//!
//! Invariant: plain data; what only the catalog can tell is worded with "may".

use crate::name::QualifiedName;

/// What one statement does, as far as its text tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// What kind of work it is.
    pub kind: Kind,
    /// The command as people name it, like PostgreSQL's command tags: `CREATE TABLE`; empty when
    /// the statement is not recognised.
    pub label: String,
    /// How it goes together with a transaction.
    pub transaction: Transaction,
    /// The table-level locks it takes, strongest first.
    pub locks: Vec<LockUse>,
    /// It reads a whole table while it holds its lock.
    pub scans: bool,
    /// It writes a whole table anew (or may, says the text), and why.
    pub rewrites: Option<String>,
    /// It destroys data, or may.
    pub data_loss: Option<DataLoss>,
    /// What it creates.
    pub creates: Vec<ObjectRef>,
    /// What it drops.
    pub drops: Vec<ObjectRef>,
    /// What it changes the definition of.
    pub alters: Vec<ObjectRef>,
    /// What must exist for it to run (relations, functions, schema-qualified types), without what
    /// it defines itself, like CTEs.
    pub uses: Vec<ObjectRef>,
    /// It has `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// It has `IF EXISTS`.
    pub if_exists: bool,
    /// It has `OR REPLACE`.
    pub or_replace: bool,
    /// The columns that `CREATE TABLE` or `ADD COLUMN` declares.
    pub columns: Vec<ColumnDecl>,
    /// The new name that it gives, by `RENAME … TO` or `SET SCHEMA`.
    pub rename: Option<Rename>,
    /// The enum type and the value that `ALTER TYPE … ADD VALUE` adds.
    pub added_enum_value: Option<(QualifiedName, String)>,
    /// What happens when it runs a second time.
    pub rerun: Rerun,
    /// It changes the session beyond the transaction: `SET`, `RESET`, `SET ROLE` without `LOCAL`.
    pub sets_session: bool,
    /// It sets `search_path`, for the session or the transaction.
    pub sets_search_path: bool,
    /// Its effects cannot be read from its text (`DO`, `CALL`, `EXECUTE`).
    pub opaque: bool,
}

/// Kinds of statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Creates an object.
    Create,
    /// Changes an object.
    Alter,
    /// Drops an object.
    Drop,
    /// Writes rows: INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY FROM.
    Write,
    /// Reads rows: SELECT, VALUES, TABLE, COPY TO, EXPLAIN, SHOW.
    Read,
    /// Controls a transaction.
    Transaction,
    /// Changes settings.
    Session,
    /// GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, REASSIGN OWNED.
    Privilege,
    /// VACUUM, ANALYZE, REINDEX, CLUSTER, REFRESH, CHECKPOINT.
    Maintenance,
    /// COMMENT and SECURITY LABEL.
    Comment,
    /// Runs code: DO, CALL, EXECUTE.
    Procedural,
    /// Anything else, or not recognised.
    #[default]
    Other,
}

/// How a statement goes together with a transaction block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Transaction {
    /// Inside or outside.
    #[default]
    Anywhere,
    /// Only outside: PostgreSQL refuses it in a transaction block.
    Never,
    /// Inside since PostgreSQL 12, but what it adds cannot be used before the commit
    /// (`ALTER TYPE … ADD VALUE`).
    NeverUseValueUntilCommit,
    /// Begins a transaction.
    Begin,
    /// Commits.
    Commit,
    /// Rolls back.
    Rollback,
    /// SAVEPOINT, RELEASE, ROLLBACK TO.
    Savepoint,
    /// PREPARE TRANSACTION.
    PrepareTransaction,
}

/// PostgreSQL's table-level lock modes, weakest first ("Explicit Locking" in its documentation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Taken by reading; conflicts only with [`LockMode::AccessExclusive`].
    AccessShare,
    /// Taken by `SELECT … FOR UPDATE` and its kin.
    RowShare,
    /// Taken by writing rows.
    RowExclusive,
    /// Blocks schema changes and vacuum, not writers.
    ShareUpdateExclusive,
    /// Blocks writers.
    Share,
    /// Blocks writers, and itself.
    ShareRowExclusive,
    /// Blocks all but plain readers.
    Exclusive,
    /// Blocks everybody.
    AccessExclusive,
}

impl LockMode {
    /// Every mode, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// As `LOCK TABLE … IN … MODE` writes it: `ACCESS EXCLUSIVE`.
    pub fn sql_name(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Understands [`LockMode::sql_name`], and `pg_locks.mode` (`AccessExclusiveLock`).
    pub fn parse(text: &str) -> Option<Self> {
        let letters = |text: &str| text.replace(' ', "").to_ascii_lowercase();
        let wanted = letters(text.strip_suffix("Lock").unwrap_or(text));
        Self::ALL.into_iter().find(|mode| letters(mode.sql_name()) == wanted)
    }

    /// Whom it keeps waiting: `reads and writes`, `writes`, or nobody who works with the rows.
    pub fn blocks(self) -> Option<&'static str> {
        match self {
            Self::AccessExclusive => Some("reads and writes"),
            Self::Exclusive | Self::ShareRowExclusive | Self::Share => Some("writes"),
            _ => None,
        }
    }
}

/// One table-level lock that a statement takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockUse {
    /// How strong.
    pub mode: LockMode,
    /// On what; `None` when the text does not say (the table of a dropped index).
    pub relation: Option<QualifiedName>,
}

/// How sure it is that data is lost; later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Chosen rows: `DELETE … WHERE`.
    Selective,
    /// Only where the data does not fit: a narrowing type.
    Possible,
    /// All of it.
    Certain,
}

/// A loss of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataLoss {
    /// How bad.
    pub severity: Severity,
    /// What is lost, in words.
    pub what: String,
}

/// A named object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its name.
    pub name: QualifiedName,
    /// The object it belongs to: the table of a trigger, policy, rule, index, column, constraint.
    pub on: Option<QualifiedName>,
}

/// Kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are PostgreSQL's own")]
pub enum ObjectKind {
    AccessMethod,
    Aggregate,
    Cast,
    Collation,
    Column,
    Constraint,
    Conversion,
    Database,
    Domain,
    EventTrigger,
    Extension,
    ForeignDataWrapper,
    ForeignTable,
    Function,
    Index,
    Language,
    LargeObject,
    MaterializedView,
    Operator,
    OperatorClass,
    OperatorFamily,
    Policy,
    Procedure,
    PropertyGraph,
    Publication,
    /// Something in a FROM clause: table, view, materialized view or foreign table.
    Relation,
    Role,
    /// A function or a procedure, the text does not say which.
    Routine,
    Rule,
    Schema,
    Sequence,
    Server,
    Statistics,
    Subscription,
    Table,
    Tablespace,
    TextSearchConfiguration,
    TextSearchDictionary,
    TextSearchParser,
    TextSearchTemplate,
    Transform,
    Trigger,
    Type,
    UserMapping,
    View,
}

/// A new name for an object, or for a column of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The object under its old name.
    pub from: ObjectRef,
    /// Its name afterwards; of a column, without a schema.
    pub to: QualifiedName,
}

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDecl {
    /// The column's name.
    pub name: String,
    /// Its type as written, blanks reduced to one space; empty for a typed table's column.
    pub type_text: String,
    /// It is declared NOT NULL or PRIMARY KEY.
    pub not_null: bool,
}

/// What running a statement a second time does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Rerun {
    /// Nothing more than the first time.
    #[default]
    Safe,
    /// It fails, or does its work twice; why.
    Unsafe(String),
}

#[cfg(test)]
mod tests {
    use super::LockMode;

    #[test]
    fn modes_are_read_in_both_spellings() {
        for mode in LockMode::ALL {
            assert_eq!(LockMode::parse(mode.sql_name()), Some(mode));
        }
        assert_eq!(LockMode::parse("ShareRowExclusiveLock"), Some(LockMode::ShareRowExclusive));
        assert_eq!(LockMode::parse("SIReadLock"), None);
        assert!(LockMode::ALL.is_sorted());
    }
}
