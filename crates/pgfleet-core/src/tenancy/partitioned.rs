//! Unique keys of partitioned tables become per-tenant: PostgreSQL takes no index over as a
//! constraint of a partitioned table and builds none on it concurrently, so that an empty one is made on
//! the partitioned table alone, and each partition's is built beside readers and writers and attached.
//! <https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE>
//!
//! Invariant: the old key goes when the new one holds in every partition, those that came meanwhile too.

use std::collections::BTreeMap;

use pgfleet_sql::definition::key_columns;
use pgfleet_sql::quote_ident;

use super::names;
use super::rekey::{Parts, comment_on, exchanged, method};
use super::steps::{Piece, Writer, literal};
use super::survey::{Key, KeyPart};
use crate::schema::ObjectId;

/// The new key, on one table.
struct Made<'k> {
    table: String,
    schema: String,
    /// What it is called until the old one is gone, and then; quoted.
    beside: String,
    name: String,
    part: Option<&'k KeyPart<'k>>,
    /// The new index that it becomes part of.
    above: Option<String>,
}

impl Made<'_> {
    fn index(&self) -> String {
        format!("{}.{}", self.schema, self.beside)
    }

    fn is_leaf(&self) -> bool {
        self.part.is_some_and(|part| part.is_leaf)
    }
}

/// Replaces a key of a partitioned table by one of other columns.
pub(super) fn replace(
    writer: &Writer<'_>,
    key: &Key<'_>,
    columns: &str,
    parts: &Parts,
    functions: Vec<String>,
    word: &str,
) -> Vec<Piece> {
    let made = made(writer, key, word);
    let new = New { key, columns, parts, made: &made };
    let mut pieces = vec![Piece::Together(new.frame())];
    for leaf in made.iter().filter(|one| one.is_leaf()) {
        pieces.push(Piece::Alone(new.build(leaf)));
        pieces.push(Piece::Together(new.taken_over(leaf)));
    }
    pieces.extend(exchanged(functions));
    pieces.push(Piece::Together(new.swap()));
    pieces
}

/// The partitioned table comes first, and each partition behind the one that it is part of.
fn made<'k>(writer: &Writer<'_>, key: &'k Key<'_>, word: &str) -> Vec<Made<'k>> {
    let one = |at: usize, table: &ObjectId, name: &str, part| {
        let number = if at == 0 { String::new() } else { at.to_string() };
        let beside = names::joined(name, &format!("{word}{number}"));
        Made {
            table: table.sql_name(),
            schema: quote_ident(&table.schema),
            beside: quote_ident(&names::free(writer.lookup, &table.schema, beside)),
            name: quote_ident(name),
            part,
            above: None,
        }
    };
    let top = one(0, key.on, &key.object.id.name, None);
    let mut indexes = BTreeMap::from([(&key.object.id, top.index())]);
    let mut made = vec![top];
    for (at, part) in (1..).zip(&key.parts) {
        let mut new = one(at, &part.table, &part.object.id.name, Some(part));
        new.above = indexes.get(&part.parent).cloned();
        indexes.insert(&part.object.id, new.index());
        made.push(new);
    }
    made
}

struct New<'k> {
    key: &'k Key<'k>,
    columns: &'k str,
    parts: &'k Parts,
    made: &'k [Made<'k>],
}

impl New<'_> {
    /// What holds the partitions' indexes: empty, not valid yet, and copied to partitions that come.
    fn frame(&self) -> Vec<String> {
        let mut sql = Vec::new();
        for one in self.made.iter().filter(|one| !one.is_leaf()) {
            sql.push(match self.key.is_constraint {
                true => {
                    let (table, beside) = (&one.table, &one.beside);
                    format!(
                        "ALTER TABLE ONLY {table} ADD CONSTRAINT {beside} {}",
                        self.definition()
                    )
                }
                false => self.create("", one, "ON ONLY"),
            });
            sql.extend(self.attach(one));
        }
        sql
    }

    /// The constraint with other columns.
    fn definition(&self) -> String {
        let old = self.key.definition;
        let range = key_columns(old).map(|key| key.range).unwrap_or(0..0);
        let (head, tail) = (old.get(..range.start), old.get(range.end..));
        format!("{}{}{}", head.unwrap_or_default(), self.columns, tail.unwrap_or_default())
    }

    fn create(&self, way: &str, one: &Made<'_>, on: &str) -> String {
        let (beside, table, columns) = (&one.beside, &one.table, self.columns);
        let (method, tail) = (method(self.key), &self.parts.index_tail);
        format!("CREATE UNIQUE INDEX {way}{beside} {on} {table} USING {method} ({columns}){tail}")
    }

    fn build(&self, leaf: &Made<'_>) -> String {
        self.create("CONCURRENTLY ", leaf, "ON")
    }

    fn taken_over(&self, leaf: &Made<'_>) -> Vec<String> {
        let (table, beside) = (&leaf.table, &leaf.beside);
        let constraint = self.key.is_constraint.then(|| {
            let tail = &self.parts.constraint_tail;
            format!("ALTER TABLE {table} ADD CONSTRAINT {beside} UNIQUE USING INDEX {beside}{tail}")
        });
        constraint.into_iter().chain(self.attach(leaf)).collect()
    }

    fn attach(&self, one: &Made<'_>) -> Option<String> {
        let parent = one.above.as_ref()?;
        Some(format!("ALTER INDEX {parent} ATTACH PARTITION {}", one.index()))
    }

    fn swap(&self) -> Vec<String> {
        let (on, name) = (self.key.on.sql_name(), quote_ident(&self.key.object.id.name));
        let schema = quote_ident(&self.key.on.schema);
        let mut sql = vec![self.refuse_missing()];
        sql.push(match self.key.is_constraint {
            true => format!("ALTER TABLE {on} DROP CONSTRAINT {name}"),
            false => format!("DROP INDEX {schema}.{name}"),
        });
        sql.extend(self.made.iter().map(|one| match self.key.is_constraint {
            true => {
                format!(
                    "ALTER TABLE {} RENAME CONSTRAINT {} TO {}",
                    one.table, one.beside, one.name
                )
            }
            false => format!("ALTER INDEX {} RENAME TO {}", one.index(), one.name),
        }));
        sql.extend(comment_on(self.key.object, self.key.on));
        let parts = self.key.parts.iter();
        sql.extend(parts.filter_map(|part| comment_on(part.object, &part.table)));
        sql
    }

    /// Partitions that came after the migration was written, and were not given the key.
    fn refuse_missing(&self) -> String {
        let Some(top) = self.made.first() else { return String::new() };
        let (table, index) = (literal(&top.table), literal(&top.index()));
        let (method, tail) = (method(self.key), &self.parts.index_tail);
        let mut way = format!(
            "CREATE UNIQUE INDEX CONCURRENTLY name ON partition USING {method} ({}){tail}; ",
            self.columns
        );
        if self.key.is_constraint {
            let tail = &self.parts.constraint_tail;
            way.push_str(&format!(
                "ALTER TABLE partition ADD CONSTRAINT name UNIQUE USING INDEX name{tail}; "
            ));
        }
        let hint = literal(&format!(
            "On each of them: {way}ALTER INDEX {} ATTACH PARTITION name. Then go on.",
            top.index()
        ));
        let what = literal(&format!("partitions without the key {}: ", top.index()));
        let invalid =
            literal(&format!("the key {} holds everywhere and is not valid", top.index()));
        format!(
            "DO $tenant$\nDECLARE missing text;\nBEGIN\n  \
             SELECT string_agg(t.relid::regclass::text, ', ') INTO missing FROM pg_catalog.pg_partition_tree({table}::regclass) AS t\n    \
             WHERE t.isleaf AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_tree({index}::regclass) AS i\n      \
             JOIN pg_catalog.pg_index AS x ON x.indexrelid = i.relid WHERE x.indrelid = t.relid);\n  \
             IF missing IS NOT NULL THEN\n    \
             RAISE object_not_in_prerequisite_state USING MESSAGE = {what} || missing,\n      HINT = {hint};\n  \
             END IF;\n  \
             IF NOT (SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = {index}::regclass) THEN\n    \
             RAISE object_not_in_prerequisite_state USING MESSAGE = {invalid},\n      \
             HINT = 'A partition without it went away meanwhile. Detach a partition and attach it again; then go on.';\n  \
             END IF;\nEND $tenant$"
        )
    }
}
