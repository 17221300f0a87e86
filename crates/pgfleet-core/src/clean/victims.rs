//! Which rows go along with those that a rule names, as a tree; and the SQL that counts and
//! deletes.
//!
//! Rows are noted by table and place in a temporary table, each once. So every row counts once,
//! whether it is reached on several ways or refers to itself, and a circle of keys comes to an end.

use pgfleet_sql::quote_ident;
use serde::Serialize;

use super::rule::ResolvedRule;
use crate::audit::{Catalog, CatalogTable, ForeignKey, OnDelete};

/// Notes the rows that go: the table's OID, the row's place, and the node of the tree that it was
/// first reached at.
pub const CREATE_VICTIMS: &str = "CREATE TEMPORARY TABLE pgfleet_victims (\
    tbl oid NOT NULL, row tid NOT NULL, node integer NOT NULL, PRIMARY KEY (tbl, row)) ON COMMIT DROP";

/// What happens to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Deleted.
    Deleted,
    /// Their columns become NULL or the default.
    Changed,
    /// They forbid that the others go.
    Blocking,
}

/// Rows of one table that something happens to, and what follows from that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Victims {
    /// The table, as SQL.
    pub table: String,
    /// The foreign key that leads here; none for the rule's own rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreign_key: Option<String>,
    /// What happens to them.
    pub effect: Effect,
    /// How many, each counted once in the whole run.
    pub rows: u64,
    /// What follows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Victims>,
}

impl Victims {
    /// Rows of the tree with an effect.
    pub fn total(&self, effect: Effect) -> u64 {
        let own = if self.effect == effect { self.rows } else { 0 };
        own + self.children.iter().map(|child| child.total(effect)).sum::<u64>()
    }

    /// What forbids the rule, if anything.
    pub fn blocking(&self) -> Vec<&Victims> {
        let mut found: Vec<_> = self.children.iter().flat_map(Victims::blocking).collect();
        if self.effect == Effect::Blocking {
            found.push(self);
        }
        found
    }
}

/// Foreign keys that lead into a table, with the tables that have them.
pub fn edges_into<'a>(
    catalog: &'a Catalog,
    parent: &'a CatalogTable,
) -> impl Iterator<Item = (&'a CatalogTable, &'a ForeignKey)> {
    let keys = |table: &'a CatalogTable| table.foreign_keys.iter().map(move |key| (table, key));
    catalog.tables.iter().flat_map(keys).filter(|(_, key)| key.parent == parent.name)
}

/// Notes the rows that a rule names; those that are noted already are left.
pub fn root_sql(rule: &ResolvedRule, node: usize) -> String {
    format!(
        "INSERT INTO pg_temp.pgfleet_victims SELECT t.tableoid, t.ctid, {node} FROM {} t \
         WHERE ({}\n) ON CONFLICT DO NOTHING",
        rule.table, rule.condition
    )
}

/// Notes the rows that refer to those of a node.
pub fn cascade_sql(
    table: &CatalogTable,
    key: &ForeignKey,
    parent_node: usize,
    node: usize,
) -> String {
    format!(
        "INSERT INTO pg_temp.pgfleet_victims SELECT DISTINCT t.tableoid, t.ctid, {node} FROM {} \
         ON CONFLICT DO NOTHING",
        referring(table, key, parent_node)
    )
}

/// Counts the rows that refer to those of a node and do not go themselves.
pub fn set_sql(table: &CatalogTable, key: &ForeignKey, parent_node: usize) -> String {
    format!(
        "SELECT pg_catalog.count(DISTINCT (t.tableoid, t.ctid))::text FROM {} AND NOT EXISTS \
         (SELECT FROM pg_temp.pgfleet_victims own WHERE own.tbl = t.tableoid AND own.row = t.ctid)",
        referring(table, key, parent_node)
    )
}

fn referring(table: &CatalogTable, key: &ForeignKey, parent_node: usize) -> String {
    let pairs = key.columns.iter().zip(&key.parent_columns);
    let pair =
        |(own, of): (&String, &String)| format!("t.{} = p.{}", quote_ident(own), quote_ident(of));
    let pairs: Vec<_> = pairs.map(pair).collect();
    format!(
        "{} t JOIN {} p ON {} JOIN pg_temp.pgfleet_victims v ON v.tbl = p.tableoid AND v.row = p.ctid \
         WHERE v.node = {parent_node}",
        table.name,
        key.parent,
        pairs.join(" AND ")
    )
}

/// What a key does to the rows that have it.
impl From<OnDelete> for Effect {
    fn from(on_delete: OnDelete) -> Self {
        match on_delete {
            OnDelete::Cascade => Self::Deleted,
            OnDelete::SetNull | OnDelete::SetDefault => Self::Changed,
            OnDelete::Restrict => Self::Blocking,
        }
    }
}

/// Deletes at most so many rows of a rule; those that another transaction holds are left for later.
pub fn delete_sql(rule: &ResolvedRule, rows: u64) -> String {
    format!(
        "DELETE FROM {table} d USING (SELECT t.tableoid AS tbl, t.ctid AS row FROM {table} t \
         WHERE ({condition}\n) LIMIT {rows} FOR UPDATE SKIP LOCKED) s \
         WHERE d.tableoid = s.tbl AND d.ctid = s.row",
        table = rule.table,
        condition = rule.condition
    )
}

/// How many rows go at once, so that a batch takes neither long nor too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Rows of the next one.
    pub rows: u64,
}

impl Batch {
    /// A careful beginning.
    pub const FIRST: Self = Self { rows: 500 };
    const ROWS: (u64, u64) = (10, 50_000);
    const GOOD_MS: (f64, f64) = (150.0, 800.0);

    /// The next batch after one that took so long.
    #[must_use]
    pub fn after(self, elapsed_ms: f64) -> Self {
        let rows = match elapsed_ms {
            quick if quick < Self::GOOD_MS.0 => self.rows * 2,
            slow if slow > Self::GOOD_MS.1 => self.rows / 2,
            _ => self.rows,
        };
        Self { rows: rows.clamp(Self::ROWS.0, Self::ROWS.1) }
    }

    /// The next batch after one that waited for a lock in vain.
    #[must_use]
    pub fn after_conflict(self) -> Self {
        Self { rows: (self.rows / 4).max(Self::ROWS.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_find_their_size() {
        let mut batch = Batch::FIRST;
        for _ in 0..20 {
            batch = batch.after(1.0);
        }
        assert_eq!(batch.rows, 50_000);
        assert_eq!(batch.after(5_000.0).rows, 25_000);
        assert_eq!(batch.after(300.0), batch);
        assert_eq!(Batch { rows: 10 }.after(9e9).after_conflict().rows, 10);
    }

    #[test]
    fn a_tree_adds_up_and_names_what_blocks() {
        let leaf = |effect, rows| Victims {
            table: "t".to_owned(),
            foreign_key: Some("k".to_owned()),
            effect,
            rows,
            children: Vec::new(),
        };
        let tree = Victims {
            foreign_key: None,
            children: vec![
                Victims { children: vec![leaf(Effect::Blocking, 2)], ..leaf(Effect::Deleted, 3) },
                leaf(Effect::Changed, 4),
            ],
            ..leaf(Effect::Deleted, 1)
        };
        assert_eq!((tree.total(Effect::Deleted), tree.total(Effect::Changed)), (4, 4));
        assert_eq!(tree.blocking().len(), 1);
    }
}
