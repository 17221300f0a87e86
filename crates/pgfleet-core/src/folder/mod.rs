//! Migration folders: a tree of files becomes a [`MigrationSet`], whatever the dialect.
//!
//! One file per format. A reader never fails on the first oddity: what it cannot place becomes a
//! [`Problem`] in the set, so that one reading names everything that is wrong.

pub mod compose;
mod dbmate;
mod detect;
mod diesel;
mod drizzle;
mod file_tree;
mod flyway;
mod format;
mod golang_migrate;
mod goose;
mod hint;
mod large;
mod plain;
mod prisma;
mod reading;
mod refinery;
mod sqlx;
mod supabase;
mod typeorm;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnose::Problem;
use crate::place::Place;

pub use detect::{detect, detect_candidates};
pub use file_tree::FileTree;
pub use format::{Format, UnknownFormat};
pub use hint::{Hint, NEIGHBOURS, assumed};
pub use large::{LargeFile, LargeReader};

pub use typeorm::fill_parameters as fill_typeorm_parameters;

pub(crate) use flyway::{
    canonical_version as flyway_canonical_version, raw_version as flyway_raw_version,
};
pub(crate) use reading::{sha256_hex, sha384_hex};
pub(crate) use refinery::checksums as refinery_checksums;
pub(crate) use typeorm::{
    constraint_name as typeorm_constraint_name, version_of_class as typeorm_version,
};

/// What a reader may need to know besides the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderOptions {
    /// Values of `${name}` in Flyway's files; names in any case.
    pub placeholders: BTreeMap<String, String>,
}

/// Reads a folder as a format's own tool would, without options.
pub fn read(tree: &FileTree, format: Format) -> MigrationSet {
    read_with(tree, format, &FolderOptions::default())
}

/// Reads a folder as a format's own tool would. What cannot be read becomes a problem of the set.
pub fn read_with(tree: &FileTree, format: Format, options: &FolderOptions) -> MigrationSet {
    match format {
        Format::Plain => plain::read(tree),
        Format::Supabase => supabase::read(tree),
        Format::Prisma => prisma::read(tree),
        Format::Typeorm => typeorm::read(tree),
        Format::Flyway => flyway::read(tree, options),
        Format::Dbmate => dbmate::read(tree),
        Format::Sqlx => sqlx::read(tree),
        Format::Diesel => diesel::read(tree),
        Format::Goose => goose::read(tree),
        Format::GolangMigrate => golang_migrate::read(tree),
        Format::Drizzle => drizzle::read(tree),
        Format::Refinery => refinery::read(tree),
    }
}

/// All migrations of a folder, in the order in which the format's own tool would apply them.
#[derive(Debug, Clone)]
pub struct MigrationSet {
    /// The folder's dialect.
    pub format: Format,
    /// In apply order; repeatable ones last.
    pub migrations: Vec<Migration>,
    /// Everything that is wrong or was not understood, errors and warnings alike.
    pub problems: Vec<Problem>,
}

/// One migration, read but not yet split into statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The identity under which the history table records it.
    pub version: String,
    /// What a person calls it; for display, and for formats that record it.
    pub name: String,
    /// How the migration takes part in the order.
    pub kind: MigrationKind,
    /// The main file, for display: relative to the folder.
    pub file: String,
    /// Size in bytes of the main file as it is on disk.
    pub size_bytes: u64,
    /// What to run.
    pub up: SqlBody,
    /// What takes it back, when the format has such a thing and the team wrote one.
    pub down: Option<SqlBody>,
    /// As the history table stores it (hexadecimal, or a decimal CRC); `None` where the format
    /// keeps none.
    pub checksum: Option<String>,
    /// What the format or a directive in the file says about transactions.
    pub transaction: TransactionMode,
    /// The first place of code that could not be read as SQL. Such a migration's `up` is not the
    /// whole of it: only the team's own tool can run it. The problem that names it is a warning,
    /// because a migration that is applied already stops nothing.
    pub opaque: Option<Place>,
    /// The same for what takes it back; `down` is then absent.
    pub opaque_down: Option<Place>,
}

/// How a migration takes part in the order of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MigrationKind {
    /// Applied once, at its place in the order.
    Versioned,
    /// Applied after all versioned ones, again whenever its checksum changes (Flyway's `R__`).
    Repeatable,
    /// Stands for everything up to and including its version on an empty database (Flyway's `B`).
    Baseline,
}

/// Whether a migration runs in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionMode {
    /// One transaction, unless the file holds a statement that no transaction can hold.
    Auto,
    /// The team asked for none (`-- no-transaction`, `transaction:false`, `+goose NO TRANSACTION`).
    Never,
}

/// SQL with its origin. Mostly one chunk, a whole file; several when the SQL was taken out of
/// code, a section of a file, or an include.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SqlBody {
    /// In execution order.
    pub chunks: Vec<Chunk>,
}

/// Contiguous SQL text and the place of its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The text to split and run.
    pub sql: String,
    /// Where its first character stands.
    pub place: Place,
    /// True when lines and columns inside `sql` count on from `place`; false when the text was
    /// computed, so that every statement is reported at `place` itself.
    pub verbatim: bool,
}

impl SqlBody {
    /// A body that is one verbatim stretch of a file.
    pub fn verbatim(sql: impl Into<String>, place: Place) -> Self {
        Self { chunks: vec![Chunk { sql: sql.into(), place, verbatim: true }] }
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.chunks.iter().map(|chunk| chunk.sql.as_str()).collect()
    }
}

impl Migration {
    /// `version_name`, or whichever of the two there is: what messages call the migration.
    pub fn label(&self) -> String {
        match (self.version.as_str(), self.name.as_str()) {
            (version, "") => version.to_owned(),
            ("", name) => name.to_owned(),
            (version, name) if version == name || version.ends_with(name) => version.to_owned(),
            (version, name) => format!("{version}_{name}"),
        }
    }
}
