//! Spelling that means nothing.
//!
//! The catalog keeps what was written in two ways that mean the same as two different expressions:
//! `TRIM(x)` is not `btrim(x)`, a list of strings compared with a `varchar` is cast inside or outside
//! of the array, and so on. [`canonical_text`] brings them to one form; it is for comparing alone and
//! need not be SQL.
//!
//! Invariant: two texts have one form only when PostgreSQL computes the same from both in every
//! database. Every rule says why that is so; what is not provably equal stays different. Names without
//! a schema are those of `pg_catalog`, as definitions are read with an empty search path.

mod rules;
mod tokens;
mod tree;
mod view;

use tree::Node;

/// An expression, or a definition that holds expressions, in the form that all its spellings share.
pub fn canonical_text(text: &str) -> String {
    canonical(&tokens::tokens(text))
}

/// As [`canonical_text`], for the query of a view: qualifiers that PostgreSQL writes until version 15
/// and not later are left out.
pub fn canonical_view(definition: &str) -> String {
    canonical(&view::unqualified(definition))
}

/// The default of a column of a type. The assignment casts to the type anyway, so that a constant
/// needs no cast; and `DEFAULT NULL` is no default, unless a domain brings one.
pub fn canonical_default(text: &str, type_name: &str) -> Option<String> {
    let nodes = rules::simplified(tree::parse(&tokens::tokens(text)));
    let is_builtin = !type_name.contains('.');
    match rules::constant(&nodes, type_name) {
        Some(rules::Constant::Null) if is_builtin => None,
        Some(rules::Constant::Value(value)) => Some(value),
        _ => Some(tree::join(&nodes)),
    }
}

/// True when two texts mean the same.
pub fn same_text(a: &str, b: &str) -> bool {
    a == b || canonical_text(a) == canonical_text(b)
}

/// True when two defaults of a column of a type mean the same.
pub fn same_default(a: Option<&str>, b: Option<&str>, type_name: &str) -> bool {
    let canonical = |text: Option<&str>| canonical_default(text?, type_name);
    a == b || canonical(a) == canonical(b)
}

fn canonical(tokens: &[&str]) -> String {
    let nodes: Vec<Node> = rules::simplified(tree::parse(tokens));
    tree::join(&nodes)
}
