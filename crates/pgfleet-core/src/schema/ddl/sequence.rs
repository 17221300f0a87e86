//! Sequences.

use pgfleet_sql::quote_ident;

use crate::schema::{Object, Persistence, Sequence, SequenceOwner};

pub(super) fn create(object: &Object, sequence: &Sequence) -> String {
    let unlogged = if sequence.unlogged { "UNLOGGED " } else { "" };
    let name = object.id.sql_name();
    format!("CREATE {unlogged}SEQUENCE {name} AS {} {}", sequence.type_name, options(sequence))
}

/// The clauses that `CREATE SEQUENCE` and identity columns share.
pub(super) fn options(sequence: &Sequence) -> String {
    let Sequence { start, increment, min, max, cache, .. } = sequence;
    let cycle = if sequence.cycle { " CYCLE" } else { "" };
    format!(
        "INCREMENT BY {increment} MINVALUE {min} MAXVALUE {max} START WITH {start} CACHE {cache}{cycle}"
    )
}

/// What differs, each clause after `prefix` (`SET ` for identity columns).
pub(super) fn changed_options(old: &Sequence, new: &Sequence, prefix: &str) -> Vec<String> {
    let mut clauses = Vec::new();
    let mut number = |name: &str, old: i64, new: i64| {
        if old != new {
            clauses.push(format!("{prefix}{name} {new}"));
        }
    };
    number("INCREMENT BY", old.increment, new.increment);
    number("MINVALUE", old.min, new.min);
    number("MAXVALUE", old.max, new.max);
    number("START WITH", old.start, new.start);
    number("CACHE", old.cache, new.cache);
    if old.cycle != new.cycle {
        clauses.push(format!("{prefix}{}", if new.cycle { "CYCLE" } else { "NO CYCLE" }));
    }
    clauses
}

pub(super) fn alter(object: &Object, old: &Sequence, new: &Sequence) -> Vec<String> {
    let name = object.id.sql_name();
    let mut statements = Vec::new();
    let mut clauses = Vec::new();
    if old.type_name != new.type_name {
        clauses.push(format!("AS {}", new.type_name));
    }
    let retyped = Sequence { type_name: new.type_name.clone(), ..old.clone() };
    let of_type = match clauses.is_empty() {
        true => changed_options(&retyped, new, ""),
        // The new type brings its own bounds where the old ones were the old type's.
        false => vec![format!("MINVALUE {} MAXVALUE {}", new.min, new.max)]
            .into_iter()
            .chain(changed_options(&Sequence { min: new.min, max: new.max, ..retyped }, new, ""))
            .collect(),
    };
    clauses.extend(of_type);
    statements.extend(fit(&name, old, new));
    if !clauses.is_empty() {
        statements.push(format!("ALTER SEQUENCE {name} {}", clauses.join(" ")));
    }
    if old.unlogged != new.unlogged {
        let kept = if new.unlogged { Persistence::Unlogged } else { Persistence::Permanent };
        let word = if kept == Persistence::Unlogged { "UNLOGGED" } else { "LOGGED" };
        statements.push(format!("ALTER SEQUENCE {name} SET {word}"));
    }
    statements
}

/// Brings the value that a sequence is at into new bounds that may not hold it. A sequence that has
/// gone beyond its new end is left alone, and the change of bounds fails: to begin anew would give
/// values twice.
pub(super) fn fit(name: &str, old: &Sequence, new: &Sequence) -> Vec<String> {
    if (new.min..=new.max).contains(&old.start) {
        return Vec::new();
    }
    let (low, high) = (old.min.min(new.min), old.max.max(new.max));
    let mut statements = Vec::new();
    if (low, high) != (old.min, old.max) {
        // Both ends must fit: of the two types only the wider one holds them.
        let retype = match bytes_of(&new.type_name) > bytes_of(&old.type_name) {
            true => format!("AS {} ", new.type_name),
            false => String::new(),
        };
        statements.push(format!("ALTER SEQUENCE {name} {retype}MINVALUE {low} MAXVALUE {high}"));
    }
    let before = match new.increment > 0 {
        true => format!("last_value < {}", new.min),
        false => format!("last_value > {}", new.max),
    };
    let outside = format!("last_value NOT BETWEEN {} AND {}", new.min, new.max);
    statements.push(format!(
        "SELECT pg_catalog.setval({}, {}, false) FROM {name} WHERE {before} OR NOT is_called AND {outside}",
        super::literal(name),
        new.start
    ));
    statements
}

fn bytes_of(type_name: &str) -> u8 {
    match type_name {
        "smallint" => 2,
        "integer" => 4,
        _ => 8,
    }
}

/// The owner comes last, when its table is there.
pub(super) fn own(
    object: &Object,
    old: Option<&SequenceOwner>,
    new: Option<&SequenceOwner>,
) -> Vec<String> {
    if old == new && old.is_none() {
        return Vec::new();
    }
    let name = object.id.sql_name();
    let owner = new.map_or_else(
        || "NONE".to_owned(),
        |owner| {
            let parts = [&owner.schema, &owner.table, &owner.column];
            parts.map(|part| quote_ident(part)).join(".")
        },
    );
    vec![format!("ALTER SEQUENCE {name} OWNED BY {owner}")]
}

/// Takes it from the column that owns it.
pub(super) fn disown(object: &Object) -> String {
    format!("ALTER SEQUENCE {} OWNED BY NONE", object.id.sql_name())
}
