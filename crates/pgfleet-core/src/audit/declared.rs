//! Rules that a team declares: `[[audit]]` in pgfleet.toml, or a file of its own.

use pgfleet_sql::{PieceKind, split};
use serde::Deserialize;

use super::finding::{AuditCategory, Finding};
use super::judge::{Question, Reading, counting_sql};
use crate::diagnose::{Code, Problem, Severity};
use crate::place::Place;

/// One declared rule: a query whose rows are wrong, or a built-in rule that is not wanted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditRule {
    /// What reports call it.
    pub name: Option<String>,
    /// A query; each of its rows is one that should not be there, its first column names it.
    pub sql: Option<String>,
    /// `error`, `warning` or `note`; `warning` by default.
    pub severity: Option<String>,
    /// The table or column that it is about.
    pub object: Option<String>,
    /// What to do about it.
    pub recommendation: Option<String>,
    /// A built-in rule to leave out.
    pub skip: Option<String>,
    /// With `skip`: only for tables with these names; all otherwise.
    #[serde(default)]
    pub tables: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    audit: Vec<AuditRule>,
}

/// Reads a file of rules.
///
/// # Errors
/// [`Code::RuleInvalid`] when it is not TOML or a rule says too little.
pub fn parse_audit_rules(text: &str, file: &str) -> Result<Vec<AuditRule>, Box<Problem>> {
    let parsed: File = toml::from_str(text).map_err(|error| {
        let start = Place::at(file, 1, 1);
        let offset = error.span().map_or(0, |span| span.start);
        let what = format!("{file} is not valid: {}", error.message());
        Box::new(
            Problem::error(Code::RuleInvalid, what)
                .at(crate::program::place_in(text, &start, true, offset)),
        )
    })?;
    declared_questions(&parsed.audit, file).map(|_| parsed.audit)
}

/// The questions of declared rules.
///
/// # Errors
/// [`Code::RuleInvalid`] for a rule without a query or with more than one statement.
pub fn declared_questions(rules: &[AuditRule], file: &str) -> Result<Vec<Question>, Box<Problem>> {
    let asked = rules.iter().enumerate().filter(|(_, rule)| rule.skip.is_none());
    asked
        .map(|(at, rule)| question(at, rule).map_err(|reason| invalid(at, rule, file, &reason)))
        .collect()
}

fn question(at: usize, rule: &AuditRule) -> Result<Question, String> {
    let sql = rule.sql.as_deref().ok_or("it has neither `sql` nor `skip`")?;
    let pieces = split(sql);
    let mut statements = pieces.iter().filter(|piece| piece.kind == PieceKind::Statement);
    let (Some(statement), None) = (statements.next(), statements.next()) else {
        return Err("its `sql` must be one query".to_owned());
    };
    let query = sql[statement.range.clone()].trim().trim_end_matches(';');
    let severity = match rule.severity.as_deref() {
        None | Some("warning") => Severity::Warning,
        Some("error") => Severity::Error,
        Some("note") => Severity::Note,
        Some(other) => {
            return Err(format!("its severity {other:?} is none of error, warning, note"));
        }
    };
    let name = rule.name.clone().unwrap_or_else(|| format!("declared-{}", at + 1));
    let rows = format!(
        "SELECT (SELECT e.value FROM pg_catalog.json_each_text(pg_catalog.row_to_json(q)) e LIMIT 1) AS k \
         FROM (\n{query}\n) q"
    );
    let finding = Finding {
        what: "rows that the rule finds".to_owned(),
        rule: name.clone(),
        category: AuditCategory::Declared,
        severity,
        object: rule.object.clone().unwrap_or(name),
        count: None,
        samples: Vec::new(),
        recommendation: rule.recommendation.clone().unwrap_or_default(),
        sql: Some(query.to_owned()),
    };
    Ok(Question { finding, sql: counting_sql(&rows, "0"), reading: Reading::Rows })
}

fn invalid(at: usize, rule: &AuditRule, file: &str, reason: &str) -> Box<Problem> {
    let name = rule.name.clone().unwrap_or_else(|| format!("number {}", at + 1));
    Box::new(
        Problem::error(Code::RuleInvalid, format!("the audit rule {name} is not valid: {reason}"))
            .at(Place::file(file))
            .fix_with("See what may stand there.", "pgfleet explain PF173"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_what_is_wrong_is_named() {
        let rules = parse_audit_rules(
            "[[audit]]\nname = 'no owner'\nsql = 'SELECT id FROM a WHERE o IS NULL;'\n\
             [[audit]]\nskip = 'unused-index'\n",
            "audit.toml",
        );
        assert_eq!(declared_questions(&rules.unwrap(), "f").unwrap().len(), 1);
        for (text, wanted) in [
            ("[[audit]]\nname = 'x'\n", "neither `sql` nor `skip`"),
            ("[[audit]]\nsql = 'SELECT 1; DROP TABLE a'\n", "one query"),
            ("[[audit]]\nsql = 'SELECT 1'\nseverity = 'high'\n", "severity \"high\""),
            ("[[audit]]\nsequel = 'SELECT 1'\n", "unknown field"),
        ] {
            let problem = parse_audit_rules(text, "audit.toml").unwrap_err();
            assert!(problem.what.contains(wanted), "{}", problem.what);
        }
    }
}
