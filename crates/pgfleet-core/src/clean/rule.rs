//! Declared rules: `[[clean]]` and `[[maintain]]` in pgfleet.toml, or a file of their own.

use pgfleet_sql::{PieceKind, parse_qualified, split};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::audit::{Catalog, CatalogTable, TableName};
use crate::diagnose::{Code, Problem, closest_name};
use crate::place::Place;

/// Runs before or after others of the same priority only where foreign keys ask for it.
const PRIORITY_USUAL: i32 = 100;

/// One rule, as written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CleanRule {
    /// What reports call it; the table by default.
    pub name: Option<String>,
    /// The table, with or without its schema.
    pub table: String,
    /// Which rows go: an SQL condition on the table, called `t`.
    #[serde(rename = "where")]
    pub condition: String,
    /// Why they go.
    pub reason: String,
    /// Lower ones run first; 100 by default.
    pub priority: Option<i32>,
}

/// A rule whose table is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedRule {
    /// What reports call it.
    pub name: String,
    /// The table.
    #[serde(skip)]
    pub table: TableName,
    /// Which rows go.
    #[serde(rename = "where")]
    pub condition: String,
    /// Why.
    pub reason: String,
    /// Lower ones run first.
    pub priority: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    clean: Vec<CleanRule>,
    #[serde(default)]
    maintain: Vec<CleanRule>,
}

/// Reads a file of rules, either of `[[clean]]` or of `[[maintain]]`.
///
/// # Errors
/// [`Code::RuleInvalid`] when it is not TOML or holds something else.
pub fn parse_clean_rules(
    text: &str,
    file: &str,
    maintain: bool,
) -> Result<Vec<CleanRule>, Box<Problem>> {
    let parsed: File = toml::from_str(text).map_err(|error| {
        let start = Place::at(file, 1, 1);
        let offset = error.span().map_or(0, |span| span.start);
        let what = format!("{file} is not valid: {}", error.message());
        Box::new(
            Problem::error(Code::RuleInvalid, what)
                .at(crate::program::place_in(text, &start, true, offset))
                .fix_with("See what may stand there.", "pgfleet explain PF173"),
        )
    })?;
    Ok(if maintain { parsed.maintain } else { parsed.clean })
}

/// Finds the rules' tables.
///
/// # Errors
/// [`Code::RuleInvalid`] for a rule without a table in this database, or whose condition is none.
pub fn resolve_rules(
    rules: &[CleanRule],
    catalog: &Catalog,
) -> Result<Vec<ResolvedRule>, Box<Problem>> {
    let resolved: Vec<_> =
        rules.iter().map(|rule| resolve(rule, catalog)).collect::<Result<_, _>>()?;
    for (at, rule) in resolved.iter().enumerate() {
        if resolved[..at].iter().any(|other| other.name == rule.name) {
            return Err(invalid(&rule.name, "another rule has its name; give it a `name`"));
        }
    }
    Ok(resolved)
}

fn resolve(rule: &CleanRule, catalog: &Catalog) -> Result<ResolvedRule, Box<Problem>> {
    let name = rule.name.clone().unwrap_or_else(|| rule.table.clone());
    let table = find_table(&rule.table, catalog).map_err(|reason| invalid(&name, &reason))?;
    let condition = rule.condition.trim();
    let pieces = split(condition);
    let statements = pieces.iter().filter(|piece| piece.kind == PieceKind::Statement).count();
    if statements != 1 || condition.ends_with(';') {
        return Err(invalid(
            &name,
            "its `where` must be one condition, such as \"t.expires_at < now()\"",
        ));
    }
    if rule.reason.trim().is_empty() {
        return Err(invalid(&name, "its `reason` is empty"));
    }
    Ok(ResolvedRule {
        name,
        table: table.name.clone(),
        condition: condition.to_owned(),
        reason: rule.reason.clone(),
        priority: rule.priority.unwrap_or(PRIORITY_USUAL),
    })
}

fn find_table<'a>(text: &str, catalog: &'a Catalog) -> Result<&'a CatalogTable, String> {
    let exact = |table: &&CatalogTable| table.name.name == text;
    let parsed = parse_qualified(text);
    let named = |table: &&CatalogTable| {
        parsed.as_ref().is_some_and(|wanted| {
            wanted.name == table.name.name
                && wanted.schema.as_ref().is_none_or(|schema| *schema == table.name.schema)
        })
    };
    let mut found: Vec<_> = catalog.tables.iter().filter(named).collect();
    if found.is_empty() {
        found = catalog.tables.iter().filter(exact).collect();
    }
    match found.as_slice() {
        [table] => Ok(table),
        [] => {
            let names: Vec<_> = catalog.tables.iter().map(|t| t.name.name.as_str()).collect();
            let near = closest_name(text.rsplit('.').next().unwrap_or(text), names);
            let hint = near.map(|near| format!("; {near} is there")).unwrap_or_default();
            Err(format!("the database has no table {text}{hint}"))
        }
        _ => Err(format!("several schemas have a table {text}; name one")),
    }
}

fn invalid(name: &str, reason: &str) -> Box<Problem> {
    Box::new(
        Problem::error(Code::RuleInvalid, format!("the rule {name} is not valid: {reason}"))
            .fix_with("See what may stand there.", "pgfleet explain PF173"),
    )
}

/// Recognises a set of rules, so that an interrupted run is continued by the same ones alone.
pub fn rules_fingerprint(rules: &[ResolvedRule]) -> String {
    let mut hash = Sha256::new();
    for rule in rules {
        for part in [&rule.name, &rule.table.to_string(), &rule.condition] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::order::tests::catalog;

    fn rule(table: &str, condition: &str) -> CleanRule {
        CleanRule {
            name: None,
            table: table.to_owned(),
            condition: condition.to_owned(),
            reason: "r".to_owned(),
            priority: None,
        }
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_named() {
        let catalog = catalog(&[("users", &[]), ("orders", &[])]);
        for (rules, wanted) in [
            (vec![rule("user", "true")], "no table user; users is there"),
            (vec![rule("users", "true; DROP TABLE a")], "one condition"),
            (vec![rule("users", "")], "one condition"),
            (vec![rule("users", "a"), rule("users", "b")], "another rule has its name"),
        ] {
            let problem = resolve_rules(&rules, &catalog).unwrap_err();
            assert!(problem.what.contains(wanted), "{}", problem.what);
        }
        assert_eq!(resolve_rules(&[rule("PUBLIC.users", "true")], &catalog).unwrap().len(), 1);
    }
}
