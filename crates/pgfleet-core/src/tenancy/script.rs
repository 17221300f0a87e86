//! Sections as the statements of a migration, `BEGIN` and `COMMIT` among them.

use super::TenancyPlan;
use super::steps::{Phase, Piece, Section};

/// How long a transaction waits for a lock: whoever wants the table meanwhile waits behind it.
const BRIEFLY: &str = "SET LOCAL lock_timeout = '500ms'";

/// The way forth, without semicolons: phase by phase, and in each table by table.
pub fn up_statements(plan: &TenancyPlan) -> Vec<String> {
    let mut statements = Vec::new();
    for phase in [Phase::Rows, Phase::Keys, Phase::Last] {
        let sections = plan.tables.iter().flat_map(|table| &table.sections);
        for section in sections.filter(|section| section.phase == phase) {
            add(&mut statements, &section.what, &section.up);
        }
    }
    statements
}

/// The way back, without semicolons: everything in reverse.
pub fn down_statements(plan: &TenancyPlan) -> Vec<String> {
    let mut statements = Vec::new();
    for phase in [Phase::Last, Phase::Keys, Phase::Rows] {
        let sections: Vec<&Section> = plan.tables.iter().flat_map(|t| &t.sections).collect();
        for section in sections.into_iter().rev().filter(|section| section.phase == phase) {
            add(&mut statements, "", &section.down);
        }
    }
    statements
}

fn add(statements: &mut Vec<String>, what: &str, pieces: &[Piece]) {
    let first = statements.len();
    for piece in pieces {
        match piece {
            Piece::Alone(sql) => statements.push(sql.clone()),
            Piece::Together(together) => {
                statements.push("BEGIN".to_owned());
                statements.push(BRIEFLY.to_owned());
                statements.extend(together.iter().cloned());
                statements.push("COMMIT".to_owned());
            }
        }
    }
    if let Some(statement) = statements.get_mut(first).filter(|_| !what.is_empty()) {
        *statement = format!("-- {}\n{statement}", what.replace('\n', " "));
    }
}
