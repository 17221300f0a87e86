//! The names of the dialects that a migration folder may be written in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A migration folder's dialect: how files are named, ordered and recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Ordered `.sql` files without any tool; history in `pgfleet.migrations`.
    Plain,
    /// `supabase/migrations/<timestamp>_name.sql`.
    Supabase,
    /// `prisma/migrations/<name>/migration.sql`.
    Prisma,
    /// TypeScript or JavaScript classes with `up` and `down`.
    Typeorm,
    /// `V`, `U`, `R` and `B` files.
    Flyway,
    /// `-- migrate:up` and `-- migrate:down` sections.
    Dbmate,
    /// `<version>_name.sql` or `.up.sql`/`.down.sql` pairs of sqlx-cli.
    Sqlx,
    /// `<version>_name/up.sql` and `down.sql`.
    Diesel,
    /// `-- +goose Up` sections.
    Goose,
    /// `<version>_name.up.sql` and `.down.sql`.
    GolangMigrate,
    /// drizzle-kit's `meta/_journal.json` and numbered files.
    Drizzle,
    /// `V1__name.sql` of the refinery crate.
    Refinery,
}

impl Format {
    /// Every format, in the order in which documentation lists them.
    pub const ALL: [Self; 12] = [
        Self::Plain,
        Self::Supabase,
        Self::Prisma,
        Self::Typeorm,
        Self::Flyway,
        Self::Dbmate,
        Self::Sqlx,
        Self::Diesel,
        Self::Goose,
        Self::GolangMigrate,
        Self::Drizzle,
        Self::Refinery,
    ];

    /// The name used in configuration, on the command line and in output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Supabase => "supabase",
            Self::Prisma => "prisma",
            Self::Typeorm => "typeorm",
            Self::Flyway => "flyway",
            Self::Dbmate => "dbmate",
            Self::Sqlx => "sqlx",
            Self::Diesel => "diesel",
            Self::Goose => "goose",
            Self::GolangMigrate => "golang-migrate",
            Self::Drizzle => "drizzle",
            Self::Refinery => "refinery",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no format.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown format {0:?}")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == text)
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}
