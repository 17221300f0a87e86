//! Tokens with their brackets.
//!
//! Invariant: whatever is parsed is written again with the same tokens; a bracket without a partner is
//! a token.

/// A token, or what stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Token(String),
    /// With the bracket that opens it, `(` or `[`.
    Group(char, Vec<Node>),
}

impl Node {
    pub(super) fn token(text: &str) -> Self {
        Self::Token(text.to_owned())
    }

    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self, Self::Token(token) if token == text)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Token(token) => Some(token),
            Self::Group(..) => None,
        }
    }

    /// What stands in parentheses.
    pub(super) fn parenthesized(&self) -> Option<&[Node]> {
        match self {
            Self::Group('(', nodes) => Some(nodes),
            _ => None,
        }
    }
}

pub(super) fn parse(tokens: &[&str]) -> Vec<Node> {
    // What is open: the bracket, and what stood before it.
    let mut open: Vec<(&str, Vec<Node>)> = Vec::new();
    let mut nodes = Vec::new();
    for token in tokens {
        match *token {
            "(" | "[" => open.push((token, std::mem::take(&mut nodes))),
            ")" | "]" => match open.pop() {
                Some((bracket, before)) if closes(bracket, token) => {
                    let character = if bracket == "(" { '(' } else { '[' };
                    let group = Node::Group(character, std::mem::replace(&mut nodes, before));
                    nodes.push(group);
                }
                other => {
                    open.extend(other);
                    nodes.push(Node::token(token));
                }
            },
            _ => nodes.push(Node::token(token)),
        }
    }
    while let Some((bracket, mut before)) = open.pop() {
        before.push(Node::token(bracket));
        before.append(&mut nodes);
        nodes = before;
    }
    nodes
}

fn closes(open: &str, close: &str) -> bool {
    matches!((open, close), ("(", ")") | ("[", "]"))
}

pub(super) fn join(nodes: &[Node]) -> String {
    let mut text = String::new();
    write(nodes, &mut text);
    text
}

fn write(nodes: &[Node], text: &mut String) {
    for node in nodes {
        if !text.is_empty() {
            text.push(' ');
        }
        match node {
            Node::Token(token) => text.push_str(token),
            Node::Group(bracket, inner) => {
                text.push(*bracket);
                write(inner, text);
                text.push_str(if *bracket == '(' { " )" } else { " ]" });
            }
        }
    }
}

/// The parts between the commas; nothing for nothing.
pub(super) fn arguments(nodes: &[Node]) -> Vec<Vec<Node>> {
    if nodes.is_empty() {
        return Vec::new();
    }
    nodes.split(|node| node.is(",")).map(<[Node]>::to_vec).collect()
}

/// The parts, with commas between them.
pub(super) fn listed(parts: Vec<Vec<Node>>) -> Vec<Node> {
    let mut nodes = Vec::new();
    for part in parts {
        if !nodes.is_empty() {
            nodes.push(Node::token(","));
        }
        nodes.extend(part);
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::spelling::tokens::tokens;

    #[test]
    fn brackets_without_a_partner_are_tokens() {
        for text in ["a ( b )", ") a (", "( [ )", "f ( a [ 1 ] , ( ) )"] {
            let written = join(&parse(&tokens(text)));
            assert_eq!(tokens(&written), tokens(text), "{text}");
        }
    }
}
