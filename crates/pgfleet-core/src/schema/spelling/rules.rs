//! Which expressions mean the same.
//!
//! Each rule takes a list of nodes whose brackets have been simplified already.

mod casts;
mod functions;

use super::tokens::{is_name, is_string};
use super::tree::{Node, arguments, listed};

pub(super) use casts::{Constant, constant};

/// The form that all spellings share.
pub(super) fn simplified(nodes: Vec<Node>) -> Vec<Node> {
    let inner = nodes.into_iter().map(|node| match node {
        Node::Group(bracket, inner) => Node::Group(bracket, simplified(inner)),
        token => token,
    });
    let nodes = functions::simplify(without_aliases(inner.collect()));
    let nodes = without_parentheses(nodes);
    let nodes = casts::simplify(nodes);
    flattened(bare_parts(nodes))
}

/// The names that the later parts of a UNION give to their columns: the first part names them.
fn without_aliases(nodes: Vec<Node>) -> Vec<Node> {
    let is = |node: &Node, words: &[&str]| words.iter().any(|word| node.is(word));
    let (mut later, mut in_list, mut skip) = (false, false, 0);
    let mut kept = Vec::with_capacity(nodes.len());
    for node in nodes {
        if is(&node, &["UNION", "INTERSECT", "EXCEPT"]) {
            later = true;
        }
        in_list = match &node {
            _ if node.is("SELECT") => later,
            _ if is(&node, &["FROM", "WHERE", "UNION", "INTERSECT", "EXCEPT", "ORDER"]) => false,
            _ => in_list,
        };
        skip = if in_list && node.is("AS") { 2 } else { skip };
        match skip {
            0 => kept.push(node),
            _ => skip -= 1,
        }
    }
    kept
}

/// Parentheses around what cannot be read in another way: a constant, a name, a call, a cast.
fn without_parentheses(nodes: Vec<Node>) -> Vec<Node> {
    let mut bare = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| nodes.get(at));
        let selects = nodes.get(at + 1).is_some_and(|next| {
            // A field or an element of what is in the parentheses.
            next.is(".") || matches!(next, Node::Group('[', _))
        });
        match node.parenthesized() {
            Some(inner) if !selects && starts_operand(before) && is_unit(inner) => {
                bare.extend_from_slice(inner);
            }
            _ => bare.push(node.clone()),
        }
    }
    bare
}

/// True when what follows is an operand, and not the arguments of what stands before.
fn starts_operand(before: Option<&Node>) -> bool {
    const WORDS: &[&str] = &["AND", "OR", "NOT", "WHEN", "THEN", "ELSE", "CASE"];
    match before {
        None => true,
        Some(Node::Group(..)) => false,
        Some(Node::Token(token)) => {
            WORDS.contains(&token.as_str()) || !(is_name(token) || is_string(token) || token == ".")
        }
    }
}

/// An operand with casts behind it, and nothing else.
fn is_unit(nodes: &[Node]) -> bool {
    let Some(mut at) = casts::operand_end(nodes, 0) else { return false };
    while nodes.get(at).is_some_and(|node| node.is("::")) {
        let Some(end) = casts::type_end(nodes, at + 1) else { return false };
        at = end;
    }
    at == nodes.len()
}

/// Parentheses around a whole argument, or around everything.
fn bare_parts(nodes: Vec<Node>) -> Vec<Node> {
    let parts = arguments(&nodes).into_iter().map(bare_part).collect();
    listed(parts)
}

fn bare_part(mut part: Vec<Node>) -> Vec<Node> {
    while let [Node::Group('(', inner)] = part.as_slice() {
        if inner.is_empty() || is_row_or_query(inner) {
            break;
        }
        part = inner.clone();
    }
    part
}

fn is_row_or_query(nodes: &[Node]) -> bool {
    const QUERIES: &[&str] = &["SELECT", "WITH", "VALUES", "TABLE"];
    let query = nodes.first().and_then(Node::text).is_some_and(|first| QUERIES.contains(&first));
    query || nodes.iter().any(|node| node.is(","))
}

/// `a AND (b AND c)`, as `AND` and `OR` are associative.
fn flattened(nodes: Vec<Node>) -> Vec<Node> {
    match connective(&nodes) {
        Some(word) => {
            let operands = nodes.split(|node| node.is(word));
            let spliced = operands.map(|operand| match operand {
                [Node::Group('(', inner)] if connective(inner) == Some(word) => inner.clone(),
                operand => operand.to_vec(),
            });
            let mut flat = Vec::new();
            for operand in spliced {
                if !flat.is_empty() {
                    flat.push(Node::token(word));
                }
                flat.extend(operand);
            }
            flat
        }
        None => nodes,
    }
}

/// The one connective of a condition that holds no other clause.
fn connective(nodes: &[Node]) -> Option<&'static str> {
    const OTHERS: &[&str] =
        &[",", "SELECT", "FROM", "WHERE", "CASE", "WHEN", "BETWEEN", "ON", "JOIN", "CHECK", "NOT"];
    let has = |word: &str| nodes.iter().any(|node| node.is(word));
    if OTHERS.iter().any(|word| has(word)) {
        return None;
    }
    match (has("AND"), has("OR")) {
        (true, false) => Some("AND"),
        (false, true) => Some("OR"),
        _ => None,
    }
}
