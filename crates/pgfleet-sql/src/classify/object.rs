//! The kinds of objects as commands spell them.
//!
//! Invariant: of two spellings that begin alike, the longer one stands first.

use super::ObjectKind;
use crate::cursor::Cursor;

type Spelling = (&'static [&'static str], ObjectKind, &'static str);

static SPELLINGS: &[Spelling] = &[
    (&["TABLE"], ObjectKind::Table, "TABLE"),
    (&["INDEX"], ObjectKind::Index, "INDEX"),
    (&["VIEW"], ObjectKind::View, "VIEW"),
    (&["FUNCTION"], ObjectKind::Function, "FUNCTION"),
    (&["TRIGGER"], ObjectKind::Trigger, "TRIGGER"),
    (&["POLICY"], ObjectKind::Policy, "POLICY"),
    (&["TYPE"], ObjectKind::Type, "TYPE"),
    (&["SEQUENCE"], ObjectKind::Sequence, "SEQUENCE"),
    (&["SCHEMA"], ObjectKind::Schema, "SCHEMA"),
    (&["EXTENSION"], ObjectKind::Extension, "EXTENSION"),
    (&["MATERIALIZED", "VIEW"], ObjectKind::MaterializedView, "MATERIALIZED VIEW"),
    (&["ACCESS", "METHOD"], ObjectKind::AccessMethod, "ACCESS METHOD"),
    (&["AGGREGATE"], ObjectKind::Aggregate, "AGGREGATE"),
    (&["CAST"], ObjectKind::Cast, "CAST"),
    (&["COLLATION"], ObjectKind::Collation, "COLLATION"),
    (&["COLUMN"], ObjectKind::Column, "COLUMN"),
    (&["CONSTRAINT"], ObjectKind::Constraint, "CONSTRAINT"),
    (&["CONVERSION"], ObjectKind::Conversion, "CONVERSION"),
    (&["DATABASE"], ObjectKind::Database, "DATABASE"),
    (&["DOMAIN"], ObjectKind::Domain, "DOMAIN"),
    (&["EVENT", "TRIGGER"], ObjectKind::EventTrigger, "EVENT TRIGGER"),
    (&["FOREIGN", "DATA", "WRAPPER"], ObjectKind::ForeignDataWrapper, "FOREIGN DATA WRAPPER"),
    (&["FOREIGN", "TABLE"], ObjectKind::ForeignTable, "FOREIGN TABLE"),
    (&["GROUP"], ObjectKind::Role, "ROLE"),
    (&["LANGUAGE"], ObjectKind::Language, "LANGUAGE"),
    (&["PROCEDURAL", "LANGUAGE"], ObjectKind::Language, "LANGUAGE"),
    (&["LARGE", "OBJECT"], ObjectKind::LargeObject, "LARGE OBJECT"),
    (&["OPERATOR", "CLASS"], ObjectKind::OperatorClass, "OPERATOR CLASS"),
    (&["OPERATOR", "FAMILY"], ObjectKind::OperatorFamily, "OPERATOR FAMILY"),
    (&["OPERATOR"], ObjectKind::Operator, "OPERATOR"),
    (&["PROCEDURE"], ObjectKind::Procedure, "PROCEDURE"),
    (&["PROPERTY", "GRAPH"], ObjectKind::PropertyGraph, "PROPERTY GRAPH"),
    (&["PUBLICATION"], ObjectKind::Publication, "PUBLICATION"),
    (&["ROLE"], ObjectKind::Role, "ROLE"),
    (&["ROUTINE"], ObjectKind::Routine, "ROUTINE"),
    (&["RULE"], ObjectKind::Rule, "RULE"),
    (&["SERVER"], ObjectKind::Server, "SERVER"),
    (&["STATISTICS"], ObjectKind::Statistics, "STATISTICS"),
    (&["SUBSCRIPTION"], ObjectKind::Subscription, "SUBSCRIPTION"),
    (&["TABLESPACE"], ObjectKind::Tablespace, "TABLESPACE"),
    (
        &["TEXT", "SEARCH", "CONFIGURATION"],
        ObjectKind::TextSearchConfiguration,
        "TEXT SEARCH CONFIGURATION",
    ),
    (&["TEXT", "SEARCH", "DICTIONARY"], ObjectKind::TextSearchDictionary, "TEXT SEARCH DICTIONARY"),
    (&["TEXT", "SEARCH", "PARSER"], ObjectKind::TextSearchParser, "TEXT SEARCH PARSER"),
    (&["TEXT", "SEARCH", "TEMPLATE"], ObjectKind::TextSearchTemplate, "TEXT SEARCH TEMPLATE"),
    (&["TRANSFORM"], ObjectKind::Transform, "TRANSFORM"),
    (&["USER", "MAPPING"], ObjectKind::UserMapping, "USER MAPPING"),
    (&["USER"], ObjectKind::Role, "ROLE"),
];

/// Moves over an object kind; gives it with the spelling that command tags use.
pub(super) fn eat_kind(cursor: &mut Cursor<'_>) -> Option<(ObjectKind, &'static str)> {
    let found = SPELLINGS.iter().find(|(words, ..)| cursor.eat(words))?;
    Some((found.1, found.2))
}

/// Whether objects of this kind are relations, which are locked by name.
pub(super) fn is_relation(kind: ObjectKind) -> bool {
    use ObjectKind::{ForeignTable, MaterializedView, Sequence, Table, View};
    matches!(kind, Table | View | MaterializedView | ForeignTable | Sequence)
}
