//! The plan of a difference between two schemas: one step, which is in no history.
//!
//! Invariant: the step's version names the two schemas, so that open units in a journal belong to
//! no other difference.

use super::build::no_transaction;
use super::derived::text;
use super::{
    Direction, Hazard, HazardKind, PLAN_VERSION, Plan, PlanSource, SchemaBase, SqlStep, Step,
    creates, fingerprint_plan, units_of,
};
use crate::diagnose::Problem;
use crate::folder::{Chunk, SqlBody, TransactionMode};
use crate::place::Place;
use crate::program::{self, Program};
use crate::schema::diff::Statement;
use crate::schema::hazard::{StatementHazard, StatementHazardKind};

/// Begins the version of a step that is a difference.
const VERSION: &str = "diff:";

/// Characters of a fingerprint that tell schemas apart.
const SHOWN: usize = 16;

/// What a difference's plan is made of.
pub struct DifferenceInput<'a> {
    /// The two sides, for people.
    pub title: &'a str,
    /// The two schemas.
    pub schemas: SchemaBase,
    /// What leads from the one to the other, in order.
    pub statements: &'a [Statement],
    /// Of each statement.
    pub hazards: &'a [Vec<StatementHazard>],
}

/// Plans a difference; without statements the plan has no step.
///
/// # Errors
/// When a statement cannot be sent: it is too long, or its text is not understood.
pub fn plan_difference(input: DifferenceInput<'_>) -> Result<Plan, Vec<Problem>> {
    let DifferenceInput { title, schemas, statements, hazards } = input;
    let step = step(title, &schemas, statements)?;
    let mut hazards: Vec<_> =
        hazards.iter().flatten().filter_map(|hazard| planned(title, hazard)).collect();
    hazards.extend(step.iter().filter(|step| !step.is_one_transaction()).map(no_transaction));
    let mut plan = Plan {
        version: PLAN_VERSION,
        source: PlanSource::Difference(Box::new(schemas)),
        fingerprint: String::new(),
        setup: Vec::new(),
        steps: step.into_iter().map(Step::Sql).collect(),
        hazards,
        location: std::path::PathBuf::new(),
    };
    plan.fingerprint = fingerprint_plan(&plan);
    Ok(plan)
}

/// True for the version of a step that is a difference.
pub fn is_difference(version: &str) -> bool {
    version.starts_with(VERSION)
}

fn step(
    title: &str,
    schemas: &SchemaBase,
    statements: &[Statement],
) -> Result<Option<SqlStep>, Vec<Problem>> {
    if statements.is_empty() {
        return Ok(None);
    }
    let sql = text(statements);
    let size_bytes = sql.len() as u64;
    let chunk = Chunk { sql, place: Place::file(title), verbatim: false };
    let Program { statements, problems } =
        program::build(&SqlBody { chunks: vec![chunk] }, &|_, _, _| None);
    let errors: Vec<_> = problems.into_iter().filter(Problem::is_error).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let short = |fingerprint: &str| fingerprint.chars().take(SHOWN).collect::<String>();
    Ok(Some(SqlStep {
        version: format!("{VERSION}{}:{}", short(&schemas.from), short(&schemas.to)),
        name: String::new(),
        label: title.to_owned(),
        file: title.to_owned(),
        size_bytes,
        direction: Direction::Up,
        creates: creates(&statements),
        units: units_of(statements, TransactionMode::Auto).map_err(|problem| vec![problem])?,
        record_started: Vec::new(),
        record_done: Vec::new(),
        record_failed: Vec::new(),
    }))
}

/// What a reviewer of a plan is told; what only costs time stands in the script.
fn planned(title: &str, hazard: &StatementHazard) -> Option<Hazard> {
    use StatementHazardKind as Of;
    let kind = match hazard.kind {
        Of::DataLoss => HazardKind::DataLoss,
        Of::PossibleLoss => HazardKind::PossibleLoss,
        Of::Rewrite => HazardKind::Rewrite,
        Of::Lock => HazardKind::Lock,
        Of::MayFail => HazardKind::MayFail,
        Of::BreaksCode => HazardKind::BreaksCode,
        Of::PerhapsRenamed | Of::IndexBuild | Of::Work | Of::Grants => return None,
    };
    let (migration, place) = (title.to_owned(), Place::file(title));
    Some(Hazard { kind, migration, place, what: hazard.what.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Unit;
    use crate::schema::Scope;

    fn planned(statements: &[Statement]) -> Plan {
        let schemas = SchemaBase {
            from: "a".repeat(64),
            to: "b".repeat(64),
            scope: Scope::default(),
            proven: true,
            demands: Vec::new(),
        };
        let lost = StatementHazard {
            kind: StatementHazardKind::DataLoss,
            what: "drops t".to_owned(),
            table: None,
            lock: None,
        };
        let hazards = vec![vec![lost]; statements.len()];
        let input = DifferenceInput { title: "a to b", schemas, statements, hazards: &hazards };
        plan_difference(input).unwrap()
    }

    #[test]
    fn what_no_transaction_holds_is_a_unit_of_its_own() {
        let plan = planned(&[
            Statement::shared("DROP TABLE t"),
            Statement::outside("CREATE INDEX CONCURRENTLY i ON u (a)"),
        ]);
        assert!(plan.is_intact());
        let step = plan.sql_steps().next().unwrap();
        assert_eq!(step.version, format!("diff:{}:{}", "a".repeat(16), "b".repeat(16)));
        assert!(is_difference(&step.version));
        assert!(matches!(step.units.as_slice(), [Unit::Transaction { .. }, Unit::Alone { .. }]));
        let kinds: Vec<_> = plan.hazards.iter().map(|hazard| hazard.kind).collect();
        let loss = HazardKind::DataLoss;
        assert_eq!(kinds, [loss, loss, HazardKind::NoTransaction]);
    }

    #[test]
    fn nothing_to_do_is_a_plan_too() {
        let plan = planned(&[]);
        assert!(plan.is_empty() && plan.is_intact() && plan.schemas().is_some());
    }
}
