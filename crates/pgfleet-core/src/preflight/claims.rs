//! What a history claims: the tables and columns that applied migrations must have left behind.

use pgfleet_sql::QualifiedName;

use super::Here;
use super::KnownObjects;
use super::world::World;
use crate::diagnose::{Code, Problem};
use crate::place::Place;
use crate::program::Program;

/// A table that must be there when every migration of a list was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The version of the migration that creates it.
    pub version: String,
    /// The table.
    pub table: QualifiedName,
    /// Its columns, those added later included.
    pub columns: Vec<String>,
    /// Where it is created.
    pub place: Place,
}

/// The claims of applied migrations, given in the order of application with their versions.
/// Tables that may have been dropped unseen are left out.
pub fn claims(applied: &[(&str, &Program)]) -> Vec<Claim> {
    let known = KnownObjects::none();
    let statements = applied.iter().flat_map(|(_, program)| &program.statements);
    let mut world = World::new(&known, statements);
    let mut versions = Vec::new();
    for (version, program) in applied {
        for statement in &program.statements {
            let order = versions.len();
            versions.push(*version);
            world.take(Here { statement, order });
        }
    }
    let version_of = |order: usize| versions.get(order).copied().unwrap_or_default().to_owned();
    let tables = world.tables_left().into_iter();
    tables
        .map(|(order, table, columns, place)| Claim {
            version: version_of(order),
            table,
            columns,
            place,
        })
        .collect()
}

impl Claim {
    /// Says that the table, or some of its columns, are not there.
    pub fn untrue(&self, missing_columns: Option<&[String]>) -> Problem {
        let (table, version) = (&self.table, &self.version);
        let what = match missing_columns {
            None => format!(
                "the history says that {version} is applied, and its table {table} is not there"
            ),
            Some(columns) => format!(
                "the table {table} lacks {}, which applied migrations create",
                columns.join(", ")
            ),
        };
        Problem::warning(Code::HistoryUntrue, what)
            .at(self.place.clone())
            .because("it was dropped by hand, or the migration was recorded without being run")
            .fix_with(
                "When nothing of the migration is there, have it run again.",
                format!("pgfleet resolve --rolled-back {version} && pgfleet apply"),
            )
            .fix("When it was dropped on purpose, write a migration that drops it IF EXISTS.")
    }
}
