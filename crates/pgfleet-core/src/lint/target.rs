//! What a target says about itself, for the rules that need it.

use std::collections::BTreeMap;

use crate::missing::Outline;
use crate::prisma::ObjectName;

/// The tables of a target, in the server's own words.
#[derive(Debug, Clone, Default)]
pub struct TargetOutline {
    /// Columns, constraints, indexes and enums.
    pub outline: Outline,
    /// What only the statistics and flags of a table tell.
    pub tables: BTreeMap<ObjectName, TableFacts>,
}

/// What statistics and flags tell about a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// How large it is; none when the table was never analyzed.
    pub size: Option<TableSize>,
    /// Row level security is on.
    pub row_security: bool,
    /// How many policies it has.
    pub policies: usize,
    /// The index that logical replication tells rows apart by, when one was chosen.
    pub replica_index: Option<String>,
}

/// How large a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSize {
    /// Rows, as the planner believes.
    pub rows: u64,
    /// Bytes, without indexes.
    pub bytes: u64,
}
