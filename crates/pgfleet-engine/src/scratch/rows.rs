//! Rows for a copy: a share of each table, and with each row the rows that it refers to.
//!
//! Invariant: the target is read in one read-only snapshot. Every row of the copy whose foreign keys
//! are valid in the target finds what it refers to in the copy.

use std::pin::pin;

use bytes::BytesMut;
use futures_util::{StreamExt, stream};
use pgfleet_core::diagnose::Problem;
use pgfleet_core::rehearse::RowChoice;

use crate::conduct::{Opened, Target};
use crate::connect::{CopyError, Session};
use crate::journal::literal;

/// Rows travel in pieces of about this size, which is what the driver sends at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Keys that are looked for at a time.
const KEYS_AT_A_TIME: usize = 20_000;
/// More than is wanted is drawn, so that chance rarely gives fewer.
const DRAWN_MORE: f64 = 1.2;

/// A table whose rows are copied.
struct Table {
    name: String,
    columns: String,
    estimated_rows: f64,
}

/// A foreign key between copied tables.
struct Reference {
    child: String,
    parent: String,
    parent_columns: String,
    /// Child column, parent column, parent's type.
    pairs: Vec<(String, String, String)>,
}

/// Two ends of a copy: a snapshot of the target, and a copy that has tables but no keys yet.
pub(super) struct Rows<'a> {
    target: &'a Target,
    copy: &'a Target,
    from: Session,
    to: Session,
}

impl<'a> Rows<'a> {
    pub(super) async fn open(target: &'a Target, copy: &'a Target) -> Result<Self, Box<Problem>> {
        let (from, to) = tokio::try_join!(target.connect(), copy.connect())?;
        let rows = Self { target, copy, from, to };
        // A policy that hides rows is an error and not a smaller copy.
        let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL row_security = off; \
                        SET LOCAL statement_timeout = 0";
        rows.from.batch(snapshot).await.map_err(|e| target.session_problem(&e))?;
        let quick = "SET synchronous_commit = off; SET statement_timeout = 0";
        rows.to.batch(quick).await.map_err(|e| copy.session_problem(&e))?;
        Ok(rows)
    }

    /// Copies; gives the number of rows. `schemas`: only these, when there are any.
    pub(super) async fn copy(
        &self,
        opened: &Opened,
        schemas: &[String],
        choice: RowChoice,
    ) -> Result<u64, Box<Problem>> {
        let (tables, references) = self.read(opened, schemas).await?;
        let mut copied = 0;
        for table in &tables {
            copied += self.pipe(&table.select(choice), &table.insert()).await?;
        }
        if choice != RowChoice::All {
            copied += self.close_over(&references).await?;
        }
        self.set_sequences().await?;
        let done = self.to.batch("ANALYZE").await;
        done.map_err(|error| self.copy.session_problem(&error))?;
        Ok(copied)
    }

    pub(super) async fn close(self) {
        self.from.close().await;
        self.to.close().await;
    }

    async fn read(
        &self,
        opened: &Opened,
        schemas: &[String],
    ) -> Result<(Vec<Table>, Vec<Reference>), Box<Problem>> {
        let wanted = wanted(opened, schemas);
        let tables = self.ask(&tables_sql(&wanted)).await?;
        let references = self.ask(&references_sql(&wanted)).await?;
        let tables = tables.into_iter().filter_map(table).collect();
        Ok((tables, references.into_iter().filter_map(reference).collect()))
    }

    /// Fetches what is referred to, until nothing is missing: what is fetched refers to more.
    async fn close_over(&self, references: &[Reference]) -> Result<u64, Box<Problem>> {
        let mut copied = 0;
        loop {
            let before = copied;
            for reference in references {
                copied += self.fetch_missing(reference).await?;
            }
            if copied == before {
                return Ok(copied);
            }
        }
    }

    async fn fetch_missing(&self, reference: &Reference) -> Result<u64, Box<Problem>> {
        let mut copied = 0;
        loop {
            let missing = self.to.query_text(&reference.missing_sql()).await;
            let missing = missing.map_err(|error| self.copy.session_problem(&error))?;
            if missing.is_empty() {
                return Ok(copied);
            }
            let fetched = self.pipe(&reference.fetch_sql(&missing), &reference.insert()).await?;
            if fetched == 0 {
                // The target does not have them either: the key is not valid there.
                return Ok(copied);
            }
            copied += fetched;
        }
    }

    async fn set_sequences(&self) -> Result<(), Box<Problem>> {
        let sql = "SELECT pg_catalog.format('%I.%I', schemaname, sequencename), last_value \
                   FROM pg_catalog.pg_sequences WHERE last_value IS NOT NULL";
        let set = |row: &Vec<Option<String>>| {
            let name = literal(row.first()?.as_deref()?);
            let value = row.get(1)?.as_deref()?;
            Some(format!(
                "SELECT pg_catalog.setval(s.oid, {value}) FROM pg_catalog.pg_class s \
                 WHERE s.oid = pg_catalog.to_regclass({name}) AND s.relkind = 'S';\n"
            ))
        };
        let sets: String = self.ask(sql).await?.iter().filter_map(set).collect();
        let done = self.to.batch(&format!("{sets};")).await;
        done.map_err(|error| self.copy.session_problem(&error))
    }

    async fn ask(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Box<Problem>> {
        let rows = self.from.query_text(sql).await;
        rows.map_err(|error| self.target.session_problem(&error))
    }

    /// From the one to the other, piece by piece; nothing is held but a piece.
    async fn pipe(&self, select: &str, insert: &str) -> Result<u64, Box<Problem>> {
        let out = self.from.client().copy_out(select).await;
        let out = out.map_err(|error| self.target.session_problem(&self.from.error(&error)))?;
        let out = pin!(out.fuse());
        let pieces = stream::unfold(out, |mut out| async {
            let mut piece = BytesMut::new();
            while piece.len() < PIECE_BYTES {
                match out.next().await {
                    Some(Ok(bytes)) => piece.extend_from_slice(&bytes),
                    Some(Err(error)) => return Some((Err(self.from.error(&error)), out)),
                    None => break,
                }
            }
            (!piece.is_empty()).then(|| (Ok(piece.freeze()), out))
        });
        self.to.copy_in(insert, pieces).await.map_err(|error| match error {
            CopyError::Source(error) => self.target.session_problem(&error),
            CopyError::Session(error) => self.copy.session_problem(&error),
        })
    }
}

impl Table {
    fn select(&self, choice: RowChoice) -> String {
        let Self { name, columns, estimated_rows } = self;
        let from = format!("SELECT {columns} FROM ONLY {name}");
        let drawn = |percent: f64| format!("TABLESAMPLE BERNOULLI ({percent:.6}) REPEATABLE (7)");
        let select = match choice {
            RowChoice::All => from,
            RowChoice::Percent(percent) => format!("{from} {}", drawn(percent)),
            RowChoice::Count(count) => {
                let percent = 100.0 * DRAWN_MORE * count as f64 / estimated_rows.max(1.0);
                let drawn = if percent < 100.0 { drawn(percent) } else { String::new() };
                format!("{from} {drawn} LIMIT {count}")
            }
        };
        format!("COPY ({select}) TO STDOUT")
    }

    fn insert(&self) -> String {
        format!("COPY {} ({}) FROM STDIN", self.name, self.columns)
    }
}

impl Reference {
    /// Keys that the copy refers to and lacks.
    fn missing_sql(&self) -> String {
        let each = |write: &dyn Fn(&(String, String, String)) -> String, between: &str| {
            self.pairs.iter().map(write).collect::<Vec<_>>().join(between)
        };
        let keys = each(&|(child, ..)| format!("c.{child}"), ", ");
        let given = each(&|(child, ..)| format!("c.{child} IS NOT NULL"), " AND ");
        let same = each(&|(child, parent, _)| format!("p.{parent} = c.{child}"), " AND ");
        format!(
            "SELECT DISTINCT {keys} FROM {} c WHERE {given} \
             AND NOT EXISTS (SELECT 1 FROM {} p WHERE {same}) LIMIT {KEYS_AT_A_TIME}",
            self.child, self.parent
        )
    }

    fn fetch_sql(&self, keys: &[Vec<Option<String>>]) -> String {
        let value = |(cell, (_, _, type_name)): (&Option<String>, &(String, String, String))| {
            format!("{}::{type_name}", literal(cell.as_deref().unwrap_or_default()))
        };
        let row = |key: &Vec<Option<String>>| {
            let values: Vec<_> = key.iter().zip(&self.pairs).map(value).collect();
            format!("({})", values.join(", "))
        };
        let rows: Vec<_> = keys.iter().map(row).collect();
        let key: Vec<_> = self.pairs.iter().map(|(_, parent, _)| format!("p.{parent}")).collect();
        format!(
            "COPY (SELECT {} FROM {} AS p WHERE ({}) IN (VALUES {})) TO STDOUT",
            self.parent_columns,
            self.parent,
            key.join(", "),
            rows.join(", ")
        )
    }

    fn insert(&self) -> String {
        format!("COPY {} ({}) FROM STDIN", self.parent, self.parent_columns)
    }
}

/// Which tables: the user's, without extensions' own, the history and pgfleet's, which are copied
/// whole.
fn wanted(opened: &Opened, schemas: &[String]) -> String {
    let history = literal(&opened.state.table.to_string());
    let only = match schemas {
        [] => String::new(),
        some => {
            let names: Vec<_> = some.iter().map(|schema| literal(schema)).collect();
            format!("AND n.nspname IN ({})", names.join(", "))
        }
    };
    format!(
        "n.nspname NOT IN ('pgfleet', 'information_schema') AND n.nspname !~ '^pg_' \
         AND c.relpersistence <> 't' AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({history}) {only} \
         AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid \
           AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')"
    )
}

/// Columns that can be written.
fn columns_of(relation: &str) -> String {
    format!(
        "(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) \
         FROM pg_catalog.pg_attribute a WHERE a.attrelid = {relation} AND a.attnum > 0 \
         AND NOT a.attisdropped AND a.attgenerated = '')"
    )
}

fn tables_sql(wanted: &str) -> String {
    format!(
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), {}, c.reltuples \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'r' AND {wanted} ORDER BY 1",
        columns_of("c.oid")
    )
}

/// Name of the child, of the parent, the parent's columns, then triples for the key.
fn references_sql(wanted: &str) -> String {
    let name = |class: &str| {
        format!(
            "(SELECT pg_catalog.format('%I.%I', m.nspname, t.relname) FROM pg_catalog.pg_class t \
             JOIN pg_catalog.pg_namespace m ON m.oid = t.relnamespace WHERE t.oid = {class})"
        )
    };
    let column = |class: &str, number: &str| {
        format!(
            "(SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = {class} AND a.attnum = {number})"
        )
    };
    format!(
        "SELECT {child}, {parent}, {columns}, \
         (SELECT pg_catalog.json_agg(pg_catalog.json_build_array({from}, {to}, \
            (SELECT pg_catalog.format_type(a.atttypid, NULL) FROM pg_catalog.pg_attribute a \
             WHERE a.attrelid = k.confrelid AND a.attnum = u.target))) \
          FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS u(source, target)) \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.confrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE k.contype = 'f' AND k.conparentid = 0 AND {wanted} ORDER BY 1, 2, k.conname",
        child = name("k.conrelid"),
        parent = name("k.confrelid"),
        columns = columns_of("k.confrelid"),
        from = column("k.conrelid", "u.source"),
        to = column("k.confrelid", "u.target"),
    )
}

/// A table without any column that can be written has rows all the same, and is left out.
fn table(row: Vec<Option<String>>) -> Option<Table> {
    let mut cells = row.into_iter();
    let (name, columns) = (cells.next()??, cells.next()??);
    let estimated_rows = cells.next()??.parse().unwrap_or(0.0);
    Some(Table { name, columns, estimated_rows })
}

fn reference(row: Vec<Option<String>>) -> Option<Reference> {
    let mut cells = row.into_iter();
    let (child, parent, parent_columns) = (cells.next()??, cells.next()??, cells.next()??);
    let pairs = serde_json::from_str(&cells.next()??).ok()?;
    Some(Reference { child, parent, parent_columns, pairs })
}
