//! From what a table is to what it shall be, and back: SQL in the order in which it is run.
//!
//! Invariant: no statement holds a lock that stops readers or writers for longer than it takes to
//! change the catalog; whatever reads all rows does so beside them.

use pgfleet_sql::{quote_ident, quote_literal};

use super::declaration::{Source, Tenancy};
use super::derive::Derivation;
use super::lookup::Lookup;
use super::rekey::{self, Bodies};
use super::survey::{TableState, can_be_cut};
use super::{convert, names};
use crate::schema::{Column, ObjectId};

/// The name of the policies that are made.
pub(super) const POLICY: &str = "tenant_isolation";

/// What a batched statement asks for.
const BATCHES: &str = "-- pgfleet: batches pause=10ms";
/// The same for a table without a key that its rows could be walked by.
const BATCHES_BY_PLACE: &str = "-- pgfleet: batches key=ctid pause=10ms";

/// What is run together or alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// One transaction that waits briefly for its locks.
    Together(Vec<String>),
    /// A statement by itself, which stops neither readers nor writers while it waits; in batches below the
    /// comment that asks for them.
    Alone(String),
}

/// When a section is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The column and its values.
    Rows,
    /// Keys, indexes and references.
    Keys,
    /// Row-level security, and what new rows get.
    Last,
}

/// A change of one table and its way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// When.
    pub phase: Phase,
    /// What it does, for people.
    pub what: String,
    /// Forth.
    pub up: Vec<Piece>,
    /// Back.
    pub down: Vec<Piece>,
}

/// Writes the sections of one table.
pub(super) struct Writer<'a> {
    pub(super) tenancy: &'a Tenancy,
    pub(super) lookup: &'a Lookup<'a>,
    pub(super) state: &'a TableState<'a>,
    /// How a row's tenant is found; none for a constant.
    pub(super) derivation: Option<Derivation>,
    /// Functions as the sections so far leave them.
    pub(super) bodies: &'a Bodies,
}

impl Writer<'_> {
    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections = Vec::new();
        match self.state.column {
            None => sections.push(self.add_column()),
            Some(column) if column.type_name != self.tenancy.type_name => {
                sections.push(convert::section(self, column));
            }
            Some(column) => sections.extend(self.complete_column(column)),
        }
        sections.extend(self.state.keys.iter().map(|key| rekey::section(self, key)));
        sections.extend(self.index());
        sections.extend(self.foreign_key());
        sections.extend(self.row_security());
        sections.extend(self.defaults());
        sections.extend(rekey::guard(self));
        sections
    }

    pub(super) fn table(&self) -> String {
        self.state.object.id.sql_name()
    }

    pub(super) fn column(&self) -> String {
        quote_ident(&self.tenancy.column)
    }

    pub(super) fn table_name(&self) -> &str {
        &self.state.object.id.name
    }

    /// Where the rows are: the table itself, or its partitions.
    fn places(&self) -> Vec<&ObjectId> {
        match self.state.leaves.is_empty() {
            true => vec![&self.state.object.id],
            false => self.state.leaves.clone(),
        }
    }

    /// Rows of some place can only be walked by where they are, and may go elsewhere when they are changed.
    pub(super) fn goes_by_place(&self) -> bool {
        self.places().into_iter().any(|place| !can_be_cut(self.lookup, place))
    }

    /// `UPDATE …`, of each place where rows are.
    pub(super) fn updates(&self, rest: &str) -> Vec<Piece> {
        let update = |place: &ObjectId| {
            let batches = if can_be_cut(self.lookup, place) { BATCHES } else { BATCHES_BY_PLACE };
            Piece::Alone(format!("{batches}\nUPDATE {} {rest}", place.sql_name()))
        };
        self.places().into_iter().map(update).collect()
    }

    pub(super) fn constant(&self) -> Option<&str> {
        match &self.state.declared.source {
            Source::Constant(sql) => Some(sql),
            _ => None,
        }
    }

    pub(super) fn name(&self, what: &str) -> String {
        let rest = format!("{}_{what}", self.tenancy.column);
        let wanted = names::joined(self.table_name(), &rest);
        names::free(self.lookup, &self.state.object.id.schema, wanted)
    }

    fn add_column(&self) -> Section {
        let (table, column, data_type) = (self.table(), self.column(), &self.tenancy.type_name);
        let mut up = Vec::new();
        match (self.constant(), &self.derivation) {
            (Some(constant), _) => up.push(Piece::Together(vec![format!(
                "ALTER TABLE {table} ADD COLUMN {column} {data_type} NOT NULL DEFAULT {constant}"
            )])),
            (None, derivation) => {
                let add = format!("ALTER TABLE {table} ADD COLUMN {column} {data_type}");
                let mut together = vec![add];
                together.extend(derivation.iter().flat_map(|d| d.create_trigger(self)));
                up.push(Piece::Together(together));
                up.extend(derivation.iter().flat_map(|d| d.backfill(self)));
                up.extend(self.set_not_null(&column));
            }
        }
        let mut back = self.drop_trigger();
        back.push(format!("ALTER TABLE {table} DROP COLUMN {column}"));
        Section {
            phase: Phase::Rows,
            what: format!("{table}: column {column} is added"),
            up,
            down: vec![Piece::Together(back)],
        }
    }

    pub(super) fn drop_trigger(&self) -> Vec<String> {
        self.derivation.iter().flat_map(|d| d.drop_trigger(self)).collect()
    }

    /// NOT NULL without a look at the rows under the lock: PostgreSQL trusts a valid check.
    pub(super) fn set_not_null(&self, column: &str) -> Vec<Piece> {
        let (table, check) = (self.table(), quote_ident(&self.name("present")));
        let mut up = vec![Piece::Together(vec![format!(
            "ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID"
        )])];
        // Partition by partition, so that no transaction is longer than one of them needs.
        let leaves = self.state.leaves.iter().map(|leaf| leaf.sql_name());
        up.extend(
            leaves.chain([table.clone()]).map(|place| {
                Piece::Alone(format!("ALTER TABLE {place} VALIDATE CONSTRAINT {check}"))
            }),
        );
        up.push(Piece::Together(vec![
            format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {check}"),
        ]));
        up
    }

    /// A column of the right type that lacks values, NOT NULL or the default.
    fn complete_column(&self, is: &Column) -> Option<Section> {
        let (table, column) = (self.table(), self.column());
        let (mut up, mut down) = (Vec::new(), Vec::new());
        if let Some(constant) = self.constant()
            && is.default.is_none()
        {
            up.push(Piece::Together(vec![format!(
                "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {constant}"
            )]));
            down.push(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT"));
        }
        if !is.not_null {
            up.extend(self.derivation.iter().map(|d| Piece::Together(d.create_trigger(self))));
            let constant = self.constant().unwrap_or("NULL");
            let backfill = match &self.derivation {
                Some(derivation) => derivation.backfill(self),
                None => self.updates(&format!("SET {column} = {constant} WHERE {column} IS NULL")),
            };
            up.extend(backfill);
            up.extend(self.set_not_null(&column));
            down.extend(self.drop_trigger());
            down.push(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"));
        }
        if up.is_empty() {
            return None;
        }
        let what = format!("{table}: column {column} is there and completed");
        Some(Section { phase: Phase::Rows, what, up, down: vec![Piece::Together(down)] })
    }

    /// The tenant of a row that is called `row`, whatever its column says.
    pub(super) fn fallback(&self, row: &str) -> String {
        match (self.constant(), &self.derivation) {
            (Some(constant), _) => format!("{constant}::{}", self.tenancy.type_name),
            (None, Some(derivation)) => derivation.expression(self, row),
            (None, None) => "NULL".to_owned(),
        }
    }

    fn index(&self) -> Option<Section> {
        if self.state.has_index {
            return None;
        }
        let (table, column, index) = (self.table(), self.column(), self.name("idx"));
        let mut up = Vec::new();
        for leaf in &self.state.leaves {
            let name = names::joined(&leaf.name, &format!("{}_idx", self.tenancy.column));
            let name = quote_ident(&names::free(self.lookup, &leaf.schema, name));
            let leaf = leaf.sql_name();
            up.push(Piece::Alone(format!("CREATE INDEX CONCURRENTLY {name} ON {leaf} ({column})")));
        }
        // On a partitioned table the leaves' indexes are taken over, so that nothing is built.
        let way = if self.state.leaves.is_empty() { "CONCURRENTLY " } else { "" };
        let name = quote_ident(&index);
        let change = |sql: String| match self.state.leaves.is_empty() {
            true => Piece::Alone(sql),
            false => Piece::Together(vec![sql]),
        };
        up.push(change(format!("CREATE INDEX {way}{name} ON {table} ({column})")));
        let schema = quote_ident(&self.state.object.id.schema);
        Some(Section {
            phase: Phase::Keys,
            what: format!("{table}: index {index} is built"),
            up,
            down: vec![change(format!("DROP INDEX {way}{schema}.{name}"))],
        })
    }

    fn foreign_key(&self) -> Option<Section> {
        let (referenced, key) = self.tenancy.references.as_ref()?;
        if self.state.has_foreign_key {
            return None;
        }
        let (table, column, name) = (self.table(), self.column(), self.name("fkey"));
        let (name, key) = (quote_ident(&name), quote_ident(key));
        let add = |place: &str| {
            format!(
                "ALTER TABLE {place} ADD CONSTRAINT {name} FOREIGN KEY ({column}) REFERENCES {referenced} ({key})"
            )
        };
        let mut up = Vec::new();
        for place in self.places().into_iter().map(ObjectId::sql_name) {
            up.push(Piece::Together(vec![format!("{} NOT VALID", add(&place))]));
            up.push(Piece::Alone(format!("ALTER TABLE {place} VALIDATE CONSTRAINT {name}")));
        }
        if !self.state.leaves.is_empty() {
            // Before version 18 PostgreSQL has no NOT VALID for partitioned tables; it takes over what
            // the partitions have, without a look at their rows.
            up.push(Piece::Together(vec![add(&table)]));
        }
        Some(Section {
            phase: Phase::Keys,
            what: format!("{table}: {column} references {referenced}"),
            up,
            down: vec![Piece::Together(vec![format!(
                "ALTER TABLE {table} DROP CONSTRAINT {name}"
            )])],
        })
    }

    fn row_security(&self) -> Option<Section> {
        let condition = self.tenancy.row_security.as_ref()?;
        let is = self.state.object.table()?;
        let table = self.table();
        let (mut up, mut down) = (Vec::new(), Vec::new());
        if !self.state.has_policy {
            let kind = if self.state.has_permissive_policy { " AS RESTRICTIVE" } else { "" };
            up.push(format!(
                "CREATE POLICY {POLICY} ON {table}{kind} USING ({condition}) WITH CHECK ({condition})"
            ));
            down.push(format!("DROP POLICY {POLICY} ON {table}"));
        }
        if !is.row_security {
            up.push(format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"));
            down.push(format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"));
        }
        if self.tenancy.force_row_security && !is.forces_row_security {
            up.push(format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"));
            down.push(format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"));
        }
        down.reverse();
        (!up.is_empty()).then(|| Section {
            phase: Phase::Last,
            what: format!("{table}: row-level security"),
            up: vec![Piece::Together(up)],
            down: vec![Piece::Together(down)],
        })
    }

    /// Takes the default or trigger off again, when new rows are to name their tenant.
    fn defaults(&self) -> Option<Section> {
        if self.tenancy.keep_default {
            return None;
        }
        let (table, column) = (self.table(), self.column());
        let (up, down) = match (self.constant(), &self.derivation) {
            (Some(constant), _) => (
                vec![format!("ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")],
                vec![format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {constant}")],
            ),
            (None, Some(derivation)) if self.state.column.is_none_or(|c| !c.not_null) => {
                (derivation.drop_trigger(self), derivation.create_trigger(self))
            }
            _ => return None,
        };
        Some(Section {
            phase: Phase::Last,
            what: format!("{table}: new rows must name their tenant"),
            up: vec![Piece::Together(up)],
            down: vec![Piece::Together(down)],
        })
    }
}

/// Quotes text for SQL; NUL cannot be in what comes from a catalog.
pub(super) fn literal(text: &str) -> String {
    quote_literal(text).unwrap_or_default()
}
