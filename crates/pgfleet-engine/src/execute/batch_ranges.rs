//! Cuts a table into ranges of rows: by a unique key, or by the place of rows on disk.
//!
//! Invariant: ranges follow each other without gap or overlap, and a range is told by where the last
//! one ended, so that any run can go on from there.

use pgfleet_core::batches::Batches;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::PlannedStatement;
use pgfleet_sql::{RowChange, quote_ident};

use crate::connect::{Session, SessionError};
use crate::journal::literal;

/// Ranges of places on disk are looked up directly since this version (TID range scans).
const PLACE_SCANS_SINCE: u32 = 140_000;
/// Rows of a block when the table has no statistics.
const ROWS_PER_BLOCK: u64 = 50;
/// Text of keys must read the same for every run.
const PLAIN_TEXT: &str = "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; \
                          SET LOCAL row_security = off";

/// A table and how it is cut.
pub(super) struct Cutting {
    pub(super) change: RowChange,
    cut: Cut,
    /// As the statistics have it; 0 when they do not know.
    pub(super) rows_estimate: u64,
}

enum Cut {
    Key(Vec<String>),
    Place { rows_per_block: u64 },
}

/// A range of rows.
pub(super) struct Window {
    /// Holds for its rows.
    pub(super) condition: String,
    /// Where it ends; none after the last.
    pub(super) end: Option<Vec<String>>,
    /// About how many rows it has.
    pub(super) rows: u64,
}

/// Why a table cannot be cut.
pub(super) enum CutError {
    Session(SessionError),
    Problem(Box<Problem>),
}

impl From<SessionError> for CutError {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl Cutting {
    /// Looks in the catalog how a table can be cut.
    pub(super) async fn of(
        session: &Session,
        statement: &PlannedStatement,
        batches: &Batches,
    ) -> Result<Self, CutError> {
        let refuse = |what: String| {
            let problem = Problem::error(Code::BatchesInvalid, what).at(statement.place.clone());
            CutError::Problem(Box::new(problem))
        };
        let change = RowChange::parse(&statement.sql)
            .map_err(|why| refuse(format!("the statement cannot be run in batches: {why}")))?;
        let facts = table_facts(session, &change).await?;
        let Some(facts) = facts else {
            return Err(refuse(format!("the table {} does not exist", change.table)));
        };
        if facts.hides_rows {
            let problem = rows_unseen(&change.table.to_string()).at(statement.place.clone());
            return Err(CutError::Problem(Box::new(problem)));
        }
        let cut = match batches.by_place {
            true if session.server_version_num() < PLACE_SCANS_SINCE => {
                return Err(refuse("key=ctid needs PostgreSQL 14 or newer".to_owned()));
            }
            true if facts.kind != "r" => {
                let what = format!("{} is no ordinary table, so key=ctid cannot be", change.table);
                return Err(refuse(what));
            }
            true => Cut::Place { rows_per_block: facts.rows_per_block() },
            false => {
                let keys = unique_keys(session, &change).await?;
                let chosen = choose(&keys, &batches.key);
                let Some(key) = chosen else {
                    return Err(CutError::Problem(Box::new(no_key(
                        statement, &change, batches, &keys,
                    ))));
                };
                Cut::Key(key)
            }
        };
        Ok(Self { change, cut, rows_estimate: facts.rows })
    }

    /// The range that begins where the last one ended.
    pub(super) async fn next(
        &self,
        session: &Session,
        last: Option<&[String]>,
        size: u64,
    ) -> Result<Window, SessionError> {
        match &self.cut {
            Cut::Key(columns) => self.next_of_key(session, columns, last, size).await,
            Cut::Place { rows_per_block } => {
                let blocks = self.blocks(session, last).await?;
                Ok(self.next_place(blocks, size, *rows_per_block))
            }
        }
    }

    /// True when rows may have moved behind the last range, so that one more look is due.
    pub(super) fn may_leave_rows(&self) -> bool {
        matches!(self.cut, Cut::Place { .. }) && self.change.has_condition()
    }

    async fn next_of_key(
        &self,
        session: &Session,
        columns: &[String],
        last: Option<&[String]>,
        size: u64,
    ) -> Result<Window, SessionError> {
        let called = self.change.called();
        let names: Vec<_> =
            columns.iter().map(|column| format!("{called}.{}", quote_ident(column))).collect();
        let texts: Vec<_> = names.iter().map(|name| format!("{name}::text")).collect();
        let lower = last.map(|last| compare(&names, ">", last));
        let only = if self.change.only { "ONLY " } else { "" };
        let sql = format!(
            "{PLAIN_TEXT}; SELECT {} FROM {only}{} AS {called} WHERE {} ORDER BY {} LIMIT 1 OFFSET {}",
            texts.join(", "),
            self.change.table,
            lower.as_deref().unwrap_or("true"),
            names.join(", "),
            size.saturating_sub(1),
        );
        let row = session.query_text(&sql).await?.into_iter().next();
        let end: Option<Vec<_>> = row.and_then(|row| row.into_iter().collect());
        let upper = end.as_ref().map(|end| compare(&names, "<=", end));
        let parts: Vec<_> = lower.into_iter().chain(upper).collect();
        let condition = if parts.is_empty() { "true".to_owned() } else { parts.join(" AND ") };
        Ok(Window { condition, end, rows: size })
    }

    /// First and last block of the present pass.
    async fn blocks(
        &self,
        session: &Session,
        last: Option<&[String]>,
    ) -> Result<(u64, u64), SessionError> {
        let known =
            |last: &[String]| Some((last.first()?.parse().ok()?, last.get(1)?.parse().ok()?));
        match last.and_then(known) {
            Some(blocks) => Ok(blocks),
            None => Ok((0, table_facts(session, &self.change).await?.map_or(0, |f| f.blocks))),
        }
    }

    fn next_place(&self, (start, end): (u64, u64), size: u64, rows_per_block: u64) -> Window {
        let blocks = (size / rows_per_block).max(1);
        let to = (start + blocks).min(end);
        let ctid = format!("{}.ctid", self.change.called());
        Window {
            condition: format!("{ctid} >= '({start},0)' AND {ctid} < '({to},0)'"),
            end: (to < end).then(|| vec![to.to_string(), end.to_string()]),
            rows: blocks * rows_per_block,
        }
    }
}

/// `(a, b) > ('1', '2')`; the literals take the columns' types.
fn compare(names: &[String], operator: &str, values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| literal(value)).collect();
    match (names, values.as_slice()) {
        ([name], [value]) => format!("{name} {operator} {value}"),
        _ => format!("({}) {operator} ({})", names.join(", "), values.join(", ")),
    }
}

struct TableFacts {
    kind: String,
    rows: u64,
    blocks: u64,
    hides_rows: bool,
}

impl TableFacts {
    fn rows_per_block(&self) -> u64 {
        match self.rows.checked_div(self.blocks) {
            Some(rows) if rows > 0 => rows,
            _ => ROWS_PER_BLOCK,
        }
    }
}

async fn table_facts(
    session: &Session,
    change: &RowChange,
) -> Result<Option<TableFacts>, SessionError> {
    let sql = format!(
        "SELECT c.relkind, CASE c.relkind WHEN 'p' THEN (SELECT pg_catalog.sum(greatest(l.reltuples, 0)) \
           FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class l ON l.oid = t.relid \
           WHERE t.isleaf) ELSE greatest(c.reltuples, 0) END::bigint, \
         pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint, \
         pg_catalog.row_security_active(c.oid) \
         FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass({})",
        literal(&change.table.to_string())
    );
    let rows = session.query_text(&sql).await?;
    let text = |at: usize| rows.first()?.get(at).cloned().flatten();
    let number = |at: usize| text(at).and_then(|text| text.parse().ok()).unwrap_or(0);
    let (rows, blocks, hides_rows) = (number(1), number(2), text(3).as_deref() == Some("t"));
    Ok(text(0).map(|kind| TableFacts { kind, rows, blocks, hides_rows }))
}

/// Unique keys of NOT NULL columns, the primary key first, then those with few columns.
async fn unique_keys(
    session: &Session,
    change: &RowChange,
) -> Result<Vec<Vec<String>>, SessionError> {
    let sql = format!(
        "SELECT i.indexrelid, a.attname FROM pg_catalog.pg_index i \
         CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k(at) \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.at] \
         WHERE i.indrelid = pg_catalog.to_regclass({}) AND i.indisunique AND i.indisvalid \
         AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL \
         AND NOT EXISTS (SELECT 1 FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) AS n(at) \
           JOIN pg_catalog.pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = i.indkey[n.at] \
           WHERE NOT b.attnotnull) \
         ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid, k.at",
        literal(&change.table.to_string())
    );
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    for row in session.query_text(&sql).await? {
        let mut cells = row.into_iter().flatten();
        let (Some(index), Some(column)) = (cells.next(), cells.next()) else { continue };
        match keys.last_mut().filter(|(last, _)| *last == index) {
            Some((_, columns)) => columns.push(column),
            None => keys.push((index, vec![column])),
        }
    }
    Ok(keys.into_iter().map(|(_, columns)| columns).collect())
}

/// The key with these columns, in its own order; any when none are asked for.
fn choose(keys: &[Vec<String>], wanted: &[String]) -> Option<Vec<String>> {
    let same = |key: &&Vec<String>| {
        wanted.is_empty()
            || (key.len() == wanted.len() && wanted.iter().all(|column| key.contains(column)))
    };
    keys.iter().find(same).cloned()
}

fn no_key(
    statement: &PlannedStatement,
    change: &RowChange,
    batches: &Batches,
    keys: &[Vec<String>],
) -> Problem {
    let table = &change.table;
    let what = match batches.key.as_slice() {
        [] => format!("{table} has no unique key of NOT NULL columns to cut it by"),
        wanted => {
            format!("({}) is no unique key of NOT NULL columns of {table}", wanted.join(", "))
        }
    };
    let mut problem = Problem::error(Code::BatchesInvalid, what).at(statement.place.clone());
    for key in keys {
        problem = problem.detail(format!("a key of the table: {}", key.join(", ")));
    }
    problem
        .because("batches are ranges of a key; without one, rows could be missed or done twice")
        .fix("Name one of the table's keys, or say key=ctid and let WHERE leave out rows that are done.")
}

/// The role would change a part of the rows and take it for all.
pub(super) fn rows_unseen(table: &str) -> Problem {
    Problem::error(
        Code::RowsUnseen,
        format!("row-level security would hide rows of {table} from this change"),
    )
    .because("the role is subject to the table's policies, so it would not see every row")
    .fix("Run the migration as a role with BYPASSRLS.")
    .fix("Or, as the owner: ALTER TABLE … NO FORCE ROW LEVEL SECURITY for the time of the migration.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_any_order() {
        let keys = [vec!["id".to_owned()], vec!["a".to_owned(), "b".to_owned()]];
        let wanted =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(choose(&keys, &wanted(&["b", "a"])), Some(keys[1].clone()));
        assert_eq!(choose(&keys, &[]), Some(keys[0].clone()));
        assert_eq!(choose(&keys, &wanted(&["b"])), None);
        assert_eq!(choose(&[], &[]), None);
    }

    #[test]
    fn ranges_are_compared_as_rows() {
        let (one, two) = (["t.a".to_owned()], ["t.a".to_owned(), "t.b".to_owned()]);
        assert_eq!(compare(&one, ">", &["it's".to_owned()]), "t.a > 'it''s'");
        assert_eq!(compare(&two, "<=", &["1".into(), "2".into()]), "(t.a, t.b) <= ('1', '2')");
    }
}
