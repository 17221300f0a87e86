//! The dialect of each format.

use super::Dialect;
use super::{
    dbmate::Dbmate, diesel::Diesel, drizzle::Drizzle, flyway::Flyway,
    golang_migrate::GolangMigrate, goose::Goose, plain::Plain, prisma::Prisma, refinery::Refinery,
    sqlx::Sqlx, supabase::Supabase, typeorm::Typeorm,
};
use crate::folder::Format;

/// The history table of a format.
pub fn dialect(format: Format) -> &'static dyn Dialect {
    match format {
        Format::Plain => &Plain,
        Format::Supabase => &Supabase,
        Format::Prisma => &Prisma,
        Format::Typeorm => &Typeorm,
        Format::Flyway => &Flyway,
        Format::Dbmate => &Dbmate,
        Format::Sqlx => &Sqlx,
        Format::Diesel => &Diesel,
        Format::Goose => &Goose,
        Format::GolangMigrate => &GolangMigrate,
        Format::Drizzle => &Drizzle,
        Format::Refinery => &Refinery,
    }
}
