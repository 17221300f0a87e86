//! Casts of constants.

use crate::schema::spelling::tokens::{is_integer, is_name, is_string, tokens};
use crate::schema::spelling::tree::{Node, arguments, join, listed};

/// A string is the same as `text` and as `varchar` without a length.
const TEXTS: &[&str] = &["text", "character varying"];
/// A whole number is the same as each of these.
const NUMBERS: &[&str] = &["smallint", "integer", "bigint", "numeric"];

/// A constant as a default.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::schema::spelling) enum Constant {
    /// No value.
    Null,
    /// The value alone: the column's type follows.
    Value(String),
}

/// What a default of a column of a type is, when it is a constant that the type makes plain.
pub(in crate::schema::spelling) fn constant(nodes: &[Node], type_name: &str) -> Option<Constant> {
    let (value, cast) = match nodes {
        [value] => (value.text()?, String::new()),
        [value, colons, cast @ ..] if colons.is("::") => {
            let end = type_end(cast, 0)?;
            (value.text()?, (end == cast.len()).then(|| join(cast))?)
        }
        _ => return None,
    };
    if value == "NULL" {
        return Some(Constant::Null);
    }
    let base = join(&crate::schema::spelling::tree::parse(&tokens(type_name)));
    let base = base.split(" (").next().unwrap_or_default();
    let whole = value.trim_matches('\'');
    let digits = is_integer(whole.strip_prefix('-').unwrap_or(whole));
    let is_text = is_string(value) && TEXTS.contains(&base) && TEXTS.contains(&cast.as_str());
    let is_number = digits
        && NUMBERS.contains(&base)
        && (NUMBERS.contains(&cast.as_str()) || (cast.is_empty() && is_integer(value)));
    match (is_text, is_number) {
        (true, _) => Some(Constant::Value(value.to_owned())),
        (_, true) => Some(Constant::Value(whole.to_owned())),
        _ => None,
    }
}

pub(super) fn simplify(nodes: Vec<Node>) -> Vec<Node> {
    let mut simple = Vec::with_capacity(nodes.len());
    let mut at = 0;
    while at < nodes.len() {
        let starts = at == 0 || !(nodes[at - 1].is("::") || nodes[at - 1].is("."));
        match Chain::read(&nodes, at).filter(|_| starts) {
            Some((chain, end)) => {
                simple.extend(chain.reduced().nodes());
                at = end;
            }
            None => {
                simple.push(nodes[at].clone());
                at += 1;
            }
        }
    }
    simple
}

/// A constant or an array of them, with its casts.
struct Chain {
    operand: Vec<Node>,
    types: Vec<Vec<Node>>,
}

impl Chain {
    fn read(nodes: &[Node], at: usize) -> Option<(Self, usize)> {
        let is_array = nodes[at].is("ARRAY");
        let is_constant = nodes[at].text().is_some_and(|text| is_string(text) || is_integer(text));
        // A string with escapes has its `E` before it, and is left as it is.
        let escaped = at > 0 && nodes[at - 1].text().is_some_and(is_name) && !is_array;
        if !(is_array || is_constant && !escaped) {
            return None;
        }
        let mut end = operand_end(nodes, at)?;
        let operand = nodes[at..end].to_vec();
        let mut types = Vec::new();
        while nodes.get(end).is_some_and(|node| node.is("::")) {
            let after = type_end(nodes, end + 1)?;
            types.push(nodes[end + 1..after].to_vec());
            end = after;
        }
        (!types.is_empty()).then_some((Self { operand, types }, end))
    }

    fn reduced(self) -> Self {
        match self.operand.as_slice() {
            // Without elements it can only be cast to an array, and is `'{}'` of that type.
            [_, Node::Group('[', elements)] if elements.is_empty() => {
                Self { operand: vec![Node::token("'{}'")], ..self }
            }
            [_, Node::Group('[', elements)] => {
                let elements = elements.clone();
                self.into_elements(&elements)
            }
            _ => self.shortened(),
        }
    }

    /// A cast of an array casts its elements one by one.
    fn into_elements(mut self, elements: &[Node]) -> Self {
        while let Some(of_element) = self.types.first().and_then(|name| element_type(name)) {
            let inside = match &self.operand[1] {
                Node::Group('[', inside) if !elements.is_empty() => inside.clone(),
                _ => return self,
            };
            let cast = |element: Vec<Node>| {
                let constant = match Self::read(&element, 0) {
                    Some((chain, end)) => end == element.len() && !chain.operand[0].is("ARRAY"),
                    None => element.len() == 1 && element[0].text().is_some_and(is_integer),
                };
                let mut element = element;
                element.push(Node::token("::"));
                element.extend(of_element.iter().cloned());
                constant.then(|| simplify(element))
            };
            let Some(cast) = arguments(&inside).into_iter().map(cast).collect::<Option<Vec<_>>>()
            else {
                return self;
            };
            self.operand[1] = Node::Group('[', listed(cast));
            self.types.remove(0);
        }
        self
    }

    /// The last of casts that do not change the value.
    fn shortened(mut self) -> Self {
        let value = self.operand.first().and_then(Node::text).unwrap_or_default().to_owned();
        let digits = is_integer(value.trim_matches('\'').trim_start_matches('-'));
        while let [first, second, ..] = self.types.as_slice() {
            let (first, second) = (join(first), join(second));
            let both = |names: &[&str]| {
                names.contains(&first.as_str()) && names.contains(&second.as_str())
            };
            if !(both(TEXTS) && is_string(&value) || both(NUMBERS) && digits) {
                break;
            }
            self.types.remove(0);
        }
        let first = self.types.first().map(|name| join(name)).unwrap_or_default();
        if is_integer(&value) && NUMBERS.contains(&first.as_str()) {
            self.operand = vec![Node::Token(format!("'{value}'"))];
        }
        self.without_integer()
    }

    /// `'5'::integer` is `5`.
    fn without_integer(mut self) -> Self {
        let text = self.operand.first().and_then(Node::text).unwrap_or_default();
        let whole = text.trim_matches('\'').to_owned();
        let plain = is_integer(&whole) && (whole == "0" || !whole.starts_with('0'));
        let is_integer_cast = self.types.first().is_some_and(|name| join(name) == "integer");
        if plain && is_integer_cast && whole.parse::<i32>().is_ok() {
            self.operand = vec![Node::Token(whole)];
            self.types.remove(0);
        }
        self
    }

    fn nodes(self) -> Vec<Node> {
        let mut nodes = self.operand;
        for name in self.types {
            nodes.push(Node::token("::"));
            nodes.extend(name);
        }
        nodes
    }
}

/// The type of the elements of an array type of one dimension.
fn element_type(name: &[Node]) -> Option<Vec<Node>> {
    let (last, element) = name.split_last()?;
    let is_brackets = |node: &Node| matches!(node, Node::Group('[', inner) if inner.is_empty());
    (is_brackets(last) && !element.iter().any(is_brackets)).then(|| element.to_vec())
}

/// Where an operand ends that begins here: a constant, a name, a call, an array, parentheses.
pub(super) fn operand_end(nodes: &[Node], at: usize) -> Option<usize> {
    let first = match nodes.get(at)? {
        Node::Group('(', _) => return Some(at + 1),
        Node::Group(..) => return None,
        Node::Token(first) => first,
    };
    if first == "ARRAY" {
        return matches!(nodes.get(at + 1), Some(Node::Group('[', _))).then_some(at + 2);
    }
    if is_string(first) || first.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(at + 1);
    }
    if !is_name(first) {
        return None;
    }
    let mut end = at + 1;
    while nodes.get(end).is_some_and(|node| node.is("."))
        && nodes.get(end + 1).and_then(Node::text).is_some_and(is_name)
    {
        end += 2;
    }
    Some(if matches!(nodes.get(end), Some(Node::Group('(', _))) { end + 1 } else { end })
}

/// Where a type's name ends that begins here, as `format_type` writes it.
pub(super) fn type_end(nodes: &[Node], at: usize) -> Option<usize> {
    const MORE: &[&str] = &[
        "varying",
        "precision",
        "with",
        "without",
        "time",
        "zone",
        "year",
        "month",
        "day",
        "hour",
        "minute",
        "second",
        "to",
    ];
    nodes.get(at).and_then(Node::text).filter(|text| is_name(text))?;
    let mut end = at + 1;
    loop {
        end += match nodes.get(end) {
            Some(Node::Token(word)) if MORE.contains(&word.as_str()) => 1,
            Some(Node::Token(point))
                if point == "." && nodes.get(end + 1).is_some_and(|next| next.text().is_some()) =>
            {
                2
            }
            Some(Node::Group('(', _)) => 1,
            Some(Node::Group('[', inner)) if inner.is_empty() => 1,
            _ => return Some(end),
        };
    }
}
