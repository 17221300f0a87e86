//! Domains with constraints, which cannot be changed without locks.

use pgfleet_sql::shape::words_range;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a domain's constraint cannot be changed while its tables are in use",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let checks =
        || scene.has_word("CHECK") || words_range(scene.sql(), &["NOT", "NULL"]).is_some();
    match facts.label.as_str() {
        "CREATE DOMAIN" if checks() => vec![
            scene
                .finding_here("a constraint of this domain can later be changed only by reading every table that uses it")
                .because("ALTER DOMAIN … ADD CONSTRAINT locks and reads all tables with a column of it")
                .fix("Put the CHECK on the tables' columns."),
        ],
        "ALTER DOMAIN" if facts.scans => vec![
            scene
                .finding_here("every table with a column of this domain is read, with its writers waiting")
                .because("ALTER DOMAIN … ADD CONSTRAINT takes SHARE on all of them and tests every row")
                .fix("Add the constraint NOT VALID and validate it in a migration of its own.")
                .weighing(Severity::Warning),
        ],
        _ => Vec::new(),
    }
}
