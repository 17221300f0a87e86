//! Qualifiers of views.
//!
//! Until PostgreSQL 15 `pg_get_viewdef` qualifies every column of a view; since 16 it does so only
//! where the query has more than one table (`ruleutils.c`: the view's own `old` and `new` no longer
//! stand in its range table).

use super::tokens::{is_name, tokens};

/// The tokens of a view's definition as PostgreSQL 16 and later write it.
pub(super) fn unqualified(definition: &str) -> Vec<&str> {
    let tokens = tokens(definition);
    let scopes = scopes(&tokens);
    let Some(alias) = only_table(&tokens, &scopes) else { return tokens };
    let kept = (0..tokens.len()).filter(|at| !is_qualifier(&tokens, &scopes, *at, alias));
    kept.map(|at| tokens[at]).collect()
}

/// `alias` or the point after it, outside of sub-selects.
fn is_qualifier(tokens: &[&str], scopes: &[Scope], at: usize, alias: &str) -> bool {
    let starts = |at: usize| {
        tokens.get(at) == Some(&alias)
            && tokens.get(at + 1) == Some(&".")
            && (at == 0 || tokens[at - 1] != ".")
            && scopes[at].selects == 0
            && !scopes[at].in_from
    };
    starts(at) || (at > 0 && tokens[at] == "." && starts(at - 1))
}

/// Where a token stands.
#[derive(Clone, Copy, Default)]
struct Scope {
    /// Open parentheses.
    depth: usize,
    /// Open parentheses that hold a query.
    selects: usize,
    /// In the FROM clause of the outermost query.
    in_from: bool,
}

fn scopes(tokens: &[&str]) -> Vec<Scope> {
    let mut scopes = Vec::with_capacity(tokens.len());
    let mut open: Vec<bool> = Vec::new();
    let mut in_from = false;
    for (at, token) in tokens.iter().enumerate() {
        if *token == ")" {
            open.pop();
        }
        if open.is_empty() {
            in_from = match *token {
                "FROM" => true,
                "WHERE" | "GROUP" | "HAVING" | "WINDOW" | "ORDER" | "LIMIT" | "OFFSET"
                | "UNION" | "INTERSECT" | "EXCEPT" | "SELECT" => false,
                _ => in_from,
            };
        }
        let selects = open.iter().filter(|is_query| **is_query).count();
        scopes.push(Scope { depth: open.len(), selects, in_from });
        if *token == "(" {
            open.push(matches!(tokens.get(at + 1), Some(&"SELECT" | &"WITH" | &"VALUES")));
        }
    }
    scopes
}

/// The name by which the query calls its table, when it has one table alone.
fn only_table<'t>(tokens: &[&'t str], scopes: &[Scope]) -> Option<&'t str> {
    let top = |word: &str| {
        tokens.iter().zip(scopes).filter(|(t, scope)| scope.depth == 0 && **t == word).count()
    };
    if top("UNION") + top("INTERSECT") + top("EXCEPT") > 0 || top("FROM") != 1 {
        return None;
    }
    let from: Vec<usize> = (0..tokens.len())
        .filter(|at| scopes[*at].in_from && scopes[*at].selects == 0 && tokens[*at] != "FROM")
        .collect();
    let several =
        |at: &usize| tokens[*at] == "JOIN" || (tokens[*at] == "," && scopes[*at].depth == 0);
    if from.iter().any(several) {
        return None;
    }
    let names = |at: &&usize| scopes[**at].depth == 0 && is_name(tokens[**at]);
    from.iter().rev().find(names).map(|at| tokens[*at])
}

#[cfg(test)]
mod tests {
    use super::super::canonical_view;

    #[test]
    fn a_view_of_one_table_reads_the_same_from_every_version() {
        let old = " SELECT t.a,\n    upper(t.b) AS b\n   FROM app.t\n  WHERE (t.a > 1)";
        let new = " SELECT a,\n    upper(b) AS b\n   FROM app.t\n  WHERE (a > 1)";
        assert_eq!(canonical_view(old), canonical_view(new));
        let other = " SELECT a,\n    upper(c) AS b\n   FROM app.t\n  WHERE (a > 1)";
        assert_ne!(canonical_view(other), canonical_view(new));
    }

    #[test]
    fn qualifiers_that_mean_something_stay() {
        let view = "SELECT t.a, u.a FROM (app.t JOIN app.u ON ((t.a = u.a)))";
        let other = "SELECT t.a, t.a FROM (app.t JOIN app.u ON ((t.a = u.a)))";
        assert_ne!(canonical_view(view), canonical_view(other));
        let inner = "SELECT a FROM app.t x WHERE (EXISTS ( SELECT 1 FROM app.u WHERE (u.a = x.a)))";
        assert!(canonical_view(inner).contains("x . a"), "{}", canonical_view(inner));
        let composite = "SELECT (x.c).d FROM app.t x";
        assert_eq!(canonical_view(composite), "SELECT ( c ) . d FROM app . t x");
    }

    #[test]
    fn anything_is_accepted() {
        for text in ["", "FROM", ")))", "SELECT 'a", "((SELECT", "é.é FROM é"] {
            canonical_view(text);
        }
    }
}
