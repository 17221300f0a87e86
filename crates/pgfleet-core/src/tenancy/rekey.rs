//! Unique keys become per-tenant: a new index is built beside the old one and takes its place and
//! name in a short transaction, together with the functions that rely on it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use pgfleet_sql::definition::{conflict_targets, key_columns};
use pgfleet_sql::{quote_ident, quote_literal};

use super::names;
use super::partitioned;
use super::steps::{Phase, Piece, Section, Writer, literal};
use super::survey::Key;
use crate::schema::{Body, Kind, Object, ObjectId};

/// Definitions of functions that were rewritten: one may rely on several keys.
pub(super) type Bodies = RefCell<BTreeMap<ObjectId, String>>;

/// A key's definition, cut.
pub(super) struct Parts {
    /// `(a, b)` without the parentheses.
    pub(super) columns: String,
    /// ` INCLUDE (c)` and the like, of an index.
    pub(super) index_tail: String,
    /// ` DEFERRABLE` and the like, of a constraint.
    pub(super) constraint_tail: String,
}

fn parts(key: &Key<'_>) -> Parts {
    let range = key_columns(key.definition).map(|key| key.range).unwrap_or(0..0);
    let columns = key.definition.get(range.clone()).unwrap_or_default().to_owned();
    let tail = key.definition.get(range.end + 1..).unwrap_or_default();
    if !key.is_constraint {
        return Parts { columns, index_tail: tail.to_owned(), constraint_tail: String::new() };
    }
    let (include, constraint_tail) = match tail.find(" DEFERRABLE") {
        Some(at) => tail.split_at(at),
        None => (tail, ""),
    };
    let nulls = match key.definition.contains("NULLS NOT DISTINCT") {
        true => " NULLS NOT DISTINCT",
        false => "",
    };
    Parts {
        columns,
        index_tail: format!("{include}{nulls}"),
        constraint_tail: constraint_tail.to_owned(),
    }
}

/// Replaces a key by the same with the tenant column in front, and back.
pub(super) fn section(writer: &Writer<'_>, key: &Key<'_>) -> Section {
    let parts = parts(key);
    let new_columns = format!("{}, {}", writer.column(), parts.columns);
    let name = &key.object.id.name;
    let functions = key.functions.iter().filter_map(|function| rewritten(writer, key, function));
    let (new_functions, old_functions): (Vec<_>, Vec<_>) = functions.unzip();
    let what = what(writer, key, &parts, new_functions.len());
    let replaced = |columns: &str, functions, word| match key.parts.is_empty() {
        true => replace(key, columns, &parts, functions, &names::joined(name, word)),
        false => partitioned::replace(writer, key, columns, &parts, functions, word),
    };
    Section {
        phase: Phase::Keys,
        what,
        up: replaced(&new_columns, new_functions, "new"),
        down: replaced(&parts.columns, old_functions, "old"),
    }
}

fn what(writer: &Writer<'_>, key: &Key<'_>, parts: &Parts, functions: usize) -> String {
    let (table, name, column) = (writer.table(), &key.object.id.name, writer.column());
    let mut what =
        format!("{table}: {name} ({}) becomes ({column}, {})", parts.columns, parts.columns);
    if *key.on != writer.state.object.id {
        what.push_str(&format!(" in {}", key.on.sql_name()));
    }
    if functions > 0 {
        let names: Vec<_> = key.functions.iter().map(|function| function.id.sql_name()).collect();
        what.push_str(&format!("; ON CONFLICT is rewritten in {}", names.join(", ")));
    }
    what
}

fn replace(
    key: &Key<'_>,
    columns: &str,
    parts: &Parts,
    functions: Vec<String>,
    beside: &str,
) -> Vec<Piece> {
    let (table, name, beside) =
        (key.on.sql_name(), quote_ident(&key.object.id.name), quote_ident(beside));
    let schema = quote_ident(&key.on.schema);
    let build = format!(
        "CREATE UNIQUE INDEX CONCURRENTLY {beside} ON {table} USING {} ({columns}){}",
        method(key),
        parts.index_tail
    );
    let mut swap = match key.is_constraint {
        true => vec![
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {} USING INDEX {beside}{}",
                if key.is_primary { "PRIMARY KEY" } else { "UNIQUE" },
                parts.constraint_tail
            ),
        ],
        false => vec![
            format!("DROP INDEX {schema}.{name}"),
            format!("ALTER INDEX {schema}.{beside} RENAME TO {name}"),
        ],
    };
    swap.extend(comment_on(key.object, key.on));
    let mut pieces = vec![Piece::Alone(build)];
    pieces.extend(exchanged(functions));
    pieces.push(Piece::Together(swap));
    pieces
}

/// The functions that rely on the old key; both keys are there while calls of the old body may still run.
pub(super) fn exchanged(functions: Vec<String>) -> Vec<Piece> {
    match functions.is_empty() {
        true => Vec::new(),
        false => {
            vec![Piece::Together(functions), Piece::Alone(WAIT_FOR_OLD_CALLS.to_owned())]
        }
    }
}

/// The comment of a key, which goes with the old one.
pub(super) fn comment_on(object: &Object, table: &ObjectId) -> Option<String> {
    let (comment, name) = (literal(object.comment.as_deref()?), quote_ident(&object.id.name));
    Some(match object.id.kind {
        Kind::Constraint => {
            format!("COMMENT ON CONSTRAINT {name} ON {} IS {comment}", table.sql_name())
        }
        _ => format!("COMMENT ON INDEX {}.{name} IS {comment}", quote_ident(&table.schema)),
    })
}

/// A call that began with the old body would find no key for its `ON CONFLICT` once the old one is
/// gone. Transactions are told by their virtual ids, which everybody may see in `pg_locks`.
const WAIT_FOR_OLD_CALLS: &str = "DO $tenant$\nDECLARE running text[];\nBEGIN\n  \
    SELECT array_agg(l.virtualxid) INTO running FROM pg_catalog.pg_locks AS l\n    \
    JOIN pg_catalog.pg_stat_activity AS a USING (pid)\n    \
    WHERE l.locktype = 'virtualxid' AND l.granted AND a.pid <> pg_catalog.pg_backend_pid()\n      \
    AND a.datname = pg_catalog.current_database() AND coalesce(a.backend_type, 'client backend') = 'client backend';\n  \
    FOR attempt IN 1..600 LOOP\n    \
    EXIT WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.virtualxid = ANY (running) AND l.granted);\n    \
    IF attempt = 600 THEN\n      \
    RAISE lock_not_available USING MESSAGE = 'transactions that may still run the old functions do not end';\n    \
    END IF;\n    PERFORM pg_catalog.pg_sleep(0.05);\n  END LOOP;\nEND $tenant$";

/// `btree` of `… USING btree (a)`.
pub(super) fn method<'k>(key: &Key<'k>) -> &'k str {
    let definition = match key.is_constraint {
        true => return "btree",
        false => key.definition,
    };
    let range = key_columns(definition).map(|key| key.range).unwrap_or(0..0);
    let head = definition.get(..range.start.saturating_sub(1)).unwrap_or_default();
    head.trim_end().rsplit(' ').next().unwrap_or("btree")
}

/// A function whose conflict target names the key: as it shall be, and as it is.
fn rewritten(writer: &Writer<'_>, key: &Key<'_>, function: &Object) -> Option<(String, String)> {
    let Body::Routine(routine) = &function.body else { return None };
    let mut bodies = writer.bodies.borrow_mut();
    let old = bodies.get(&function.id).unwrap_or(&routine.definition).clone();
    let mut new = old.clone();
    let mut targets = conflict_targets(&old);
    targets.sort_by_key(|target| std::cmp::Reverse(target.range.start));
    for target in targets {
        let same_table = target.table.name == key.on.name;
        let same_key = target.columns.len() == key.columns.len()
            && target.columns.iter().all(|name| key.columns.contains(&Some(name.clone())));
        if same_table && same_key {
            new.insert_str(target.range.start, &format!("{}, ", writer.column()));
        }
    }
    let clean = |text: &str| text.trim_end().trim_end_matches(';').to_owned();
    bodies.insert(function.id.clone(), new.clone());
    Some((clean(&new), clean(&old)))
}

/// Before anything is taken back: keys that several tenants share by now make it impossible.
pub(super) fn guard(writer: &Writer<'_>) -> Option<Section> {
    let keys = writer.state.keys.iter().filter(|key| key.columns.iter().all(Option::is_some));
    let down: Vec<_> = keys.map(|key| Piece::Alone(shared_by_tenants(writer, key))).collect();
    (!down.is_empty()).then(|| Section {
        phase: Phase::Last,
        what: String::new(),
        up: Vec::new(),
        down,
    })
}

fn shared_by_tenants(writer: &Writer<'_>, key: &Key<'_>) -> String {
    let (table, column) = (key.on.sql_name(), writer.column());
    let columns: Vec<_> = key.columns.iter().flatten().map(|name| quote_ident(name)).collect();
    let list = columns.join(", ");
    let mut conditions: Vec<_> = columns.iter().map(|name| format!("{name} IS NOT NULL")).collect();
    if let Some((_, condition)) = key.definition.split_once(" WHERE ").filter(|_| key.is_partial())
    {
        conditions.push(condition.to_owned());
    }
    let message = format!("{table}: tenants share a key ({list}) that was unique: ");
    let message = quote_literal(&message).unwrap_or_default();
    format!(
        "DO $tenant$\nDECLARE shared text;\nBEGIN\n  SELECT string_agg(one, '; ') INTO shared FROM (\n    \
         SELECT concat('(', concat_ws(', ', {list}), ') of tenants ', string_agg({column}::text, ', ' ORDER BY {column})) AS one\n    \
         FROM {table} WHERE {}\n    GROUP BY {list} HAVING count(*) > 1 LIMIT 5) AS several;\n  \
         IF shared IS NOT NULL THEN\n    RAISE unique_violation USING MESSAGE = {message} || shared,\n      \
         HINT = 'Remove or change the rows of all tenants but one; then take it back again.';\n  END IF;\nEND $tenant$",
        conditions.join(" AND ")
    )
}
