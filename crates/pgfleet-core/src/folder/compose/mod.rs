//! New migrations as files, the way the team's own tool would have named and written them.
//!
//! Invariant: what is composed is read back by the format's reader as the same statements, after all
//! migrations that are there. Sources of names and markers are those of each format's reader.

mod files;
mod version;

use super::{FileTree, Format, MigrationSet};
use crate::schema::diff::Unit;

/// One new migration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewMigration {
    /// What a person calls it.
    pub name: String,
    /// What to run.
    pub up: Vec<Block>,
    /// What takes it back; empty when nothing does.
    pub down: Vec<Block>,
    /// Said above the down part, a line each.
    pub down_notes: Vec<String>,
}

/// Statements that are committed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Without their semicolons, in order.
    pub statements: Vec<String>,
    /// True for a statement that no transaction can hold.
    pub outside: bool,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Below the folder, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
    /// It is there already and is replaced (a journal).
    pub replaces: bool,
}

/// A time, for versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since 1970.
    pub unix_ms: i64,
    /// The same as `20240102030405`, in UTC.
    pub digits: String,
}

impl From<&Unit<'_>> for Block {
    fn from(unit: &Unit<'_>) -> Self {
        let statements = unit.statements.iter().map(|statement| statement.sql.clone()).collect();
        Self { statements, outside: unit.outside }
    }
}

/// How a format's own tool runs a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileRun {
    /// In one transaction, whatever is in it: statements that no transaction can hold cannot be.
    OneTransaction,
    /// In one transaction, or as one statement outside of it: each block is a file.
    OneBlock,
    /// With the file's own transactions: all blocks are one file.
    OwnTransactions,
}

impl Format {
    /// How the format's own tool runs a file of its folder.
    pub fn file_run(self) -> FileRun {
        match self {
            Self::Plain => FileRun::OwnTransactions,
            Self::Flyway
            | Self::Dbmate
            | Self::Sqlx
            | Self::Diesel
            | Self::Goose
            | Self::GolangMigrate => FileRun::OneBlock,
            // The Supabase CLI sends a file as one pipeline, TypeORM runs all files in one
            // transaction unless it is told otherwise, Prisma sends a file as one message.
            Self::Supabase | Self::Prisma | Self::Typeorm | Self::Drizzle | Self::Refinery => {
                FileRun::OneTransaction
            }
        }
    }

    /// True when the format has a place for what takes a migration back. For those where it is
    /// optional the folder shows whether the team uses it.
    pub fn takes_back(self, tree: &FileTree) -> bool {
        let any = |test: fn(&str) -> bool| tree.files.keys().any(|path| test(path));
        match self {
            Self::Plain
            | Self::Dbmate
            | Self::Diesel
            | Self::Goose
            | Self::GolangMigrate
            | Self::Typeorm => true,
            Self::Sqlx => {
                any(|path| path.ends_with(".up.sql")) || !any(|path| path.ends_with(".sql"))
            }
            Self::Flyway => any(|path| {
                let name = path.rsplit('/').next().unwrap_or(path);
                name.starts_with('U') && name.contains("__")
            }),
            Self::Supabase | Self::Prisma | Self::Drizzle | Self::Refinery => false,
        }
    }
}

/// The files of a new migration, after all that are there.
pub fn compose(
    set: &MigrationSet,
    tree: &FileTree,
    migration: &NewMigration,
    now: &Moment,
) -> Vec<NewFile> {
    files::Composer { format: set.format, tree, migration, now }.compose()
}

#[cfg(test)]
mod tests;
