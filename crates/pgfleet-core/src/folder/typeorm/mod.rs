//! TypeORM folders: TypeScript or JavaScript classes with `up` and `down`.
//!
//! Invariant: what a migration's SQL is, is either known completely or the migration is marked as
//! opaque, with the first place that could not be read.

mod naming;

use super::reading::Reading;
use super::{FileTree, Format, MigrationSet};

pub use naming::{constraint_name, version_of_class};

/// Reads a folder of TypeORM migrations.
pub fn read(tree: &FileTree) -> MigrationSet {
    let reading = Reading::new(tree, Format::Typeorm);
    reading.finish(|a, b| a.version.cmp(&b.version))
}
