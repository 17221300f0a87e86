//! Functions that SQL has a syntax of its own for. PostgreSQL calls the same function in both cases
//! (`func_expr_common_subexpr` in src/backend/parser/gram.y) and remembers how it was written.

use crate::schema::spelling::tree::{Node, listed};

pub(super) fn simplify(nodes: Vec<Node>) -> Vec<Node> {
    let mut simple = Vec::with_capacity(nodes.len());
    let mut at = 0;
    while let Some(node) = nodes.get(at) {
        let qualified = at > 0 && nodes[at - 1].is(".");
        let arguments = nodes.get(at + 1).and_then(Node::parenthesized);
        let call = node.text().filter(|_| !qualified).and_then(|name| call(name, arguments));
        match call {
            Some((name, parts)) => {
                simple.push(Node::token(name));
                let mut parts: Vec<_> = parts.into_iter().map(super::bare_part).collect();
                if TRIMS.contains(&name) {
                    parts.first_mut().into_iter().for_each(uncast);
                }
                simple.push(Node::Group('(', listed(parts)));
                at += if arguments.is_some() { 2 } else { 1 };
            }
            None => {
                simple.push(node.clone());
                at += 1;
            }
        }
    }
    time_zone(simple)
}

/// Of one argument they know `text` alone, and `TRIM(BOTH FROM x)` does not show that a `varchar` was
/// cast to it.
const TRIMS: [&str; 3] = ["btrim", "ltrim", "rtrim"];

/// Takes a cast to `text` away.
fn uncast(part: &mut Vec<Node>) {
    if let [value @ .., cast, to] = part.as_slice()
        && cast.is("::")
        && to.is("text")
    {
        *part = super::bare_part(value.to_vec());
    }
}

/// The function and its arguments, when the name is one that can be written in two ways.
fn call(name: &str, arguments: Option<&[Node]>) -> Option<(&'static str, Vec<Vec<Node>>)> {
    let Some(inner) = arguments else {
        // CURRENT_TIMESTAMP without a precision is the start of the transaction, as now() is.
        return (name == "CURRENT_TIMESTAMP").then(|| ("now", Vec::new()));
    };
    match name {
        "transaction_timestamp" if inner.is_empty() => Some(("now", Vec::new())),
        "TRIM" => trim(inner),
        "EXTRACT" => extract(inner),
        "POSITION" => {
            let (needle, text) = split(inner, "IN")?;
            Some(("position", vec![text.to_vec(), needle.to_vec()]))
        }
        "SUBSTRING" => Some(("substring", clauses(inner, &["FROM", "FOR", "SIMILAR", "ESCAPE"])?)),
        "OVERLAY" => Some(("overlay", clauses(inner, &["PLACING", "FROM", "FOR"])?)),
        "btrim" => Some(("btrim", plain(inner))),
        "ltrim" => Some(("ltrim", plain(inner))),
        "rtrim" => Some(("rtrim", plain(inner))),
        "\"substring\"" => Some(("substring", plain(inner))),
        "\"position\"" => Some(("position", plain(inner))),
        "\"overlay\"" => Some(("overlay", plain(inner))),
        "\"extract\"" => Some(("extract", plain(inner))),
        _ => None,
    }
}

fn plain(inner: &[Node]) -> Vec<Vec<Node>> {
    crate::schema::spelling::tree::arguments(inner)
}

/// `TRIM(BOTH characters FROM text)`.
fn trim(inner: &[Node]) -> Option<(&'static str, Vec<Vec<Node>>)> {
    let (side, rest) = inner.split_first()?;
    let name = match side.text()? {
        "BOTH" => "btrim",
        "LEADING" => "ltrim",
        "TRAILING" => "rtrim",
        _ => return None,
    };
    let (characters, text) = split(rest, "FROM")?;
    let mut parts = vec![text.to_vec()];
    if !characters.is_empty() {
        parts.push(characters.to_vec());
    }
    Some((name, parts))
}

/// `EXTRACT(field FROM source)`; the field is a string to the function.
fn extract(inner: &[Node]) -> Option<(&'static str, Vec<Vec<Node>>)> {
    let (field, source) = split(inner, "FROM")?;
    let [field] = field else { return None };
    let text = field.text()?.trim_matches('"').trim_matches('\'').to_owned();
    let literal = vec![Node::Token(format!("'{text}'")), Node::token("::"), Node::token("text")];
    Some(("extract", vec![literal, source.to_vec()]))
}

/// What stands before and after a word that stands there once.
fn split<'n>(nodes: &'n [Node], word: &str) -> Option<(&'n [Node], &'n [Node])> {
    let mut places = (0..nodes.len()).filter(|at| nodes[*at].is(word));
    let place = places.next()?;
    places.next().is_none().then(|| (&nodes[..place], &nodes[place + 1..]))
}

/// The parts between some words; nothing when there is none of them or a comma.
fn clauses(nodes: &[Node], words: &[&str]) -> Option<Vec<Vec<Node>>> {
    let is_word = |node: &Node| words.iter().any(|word| node.is(word));
    if nodes.iter().any(|node| node.is(",")) || !nodes.iter().any(is_word) {
        return None;
    }
    Some(nodes.split(is_word).map(<[Node]>::to_vec).collect())
}

/// `x AT TIME ZONE z` is `timezone(z, x)`.
fn time_zone(nodes: Vec<Node>) -> Vec<Node> {
    const OTHERS: &[&str] = &["AND", "OR", "NOT", "SELECT", "CASE", "WHEN", ",", "AS", "WHERE"];
    let others = nodes.iter().any(|node| OTHERS.iter().any(|word| node.is(word)));
    let Some((source, rest)) = split(&nodes, "AT").filter(|_| !others) else { return nodes };
    let [time, zone, name @ ..] = rest else { return nodes };
    if !(time.is("TIME") && zone.is("ZONE")) || source.is_empty() || name.is_empty() {
        return nodes;
    }
    let parts = [name.to_vec(), source.to_vec()].map(super::bare_part);
    vec![Node::token("timezone"), Node::Group('(', listed(parts.to_vec()))]
}
