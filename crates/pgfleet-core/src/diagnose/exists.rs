//! The object is there already: is it the same, whose is it, and which migration made it?

use super::explain::Failure;
use super::facts::{Comparison, Creator};
use super::{Code, Problem};

pub(super) fn explain(failure: &Failure<'_>) -> Problem {
    let name = name_of(failure);
    let mut problem = failure.say(Code::ObjectExists);
    if let Some(object) = &failure.catalog.existing {
        problem =
            problem.detail(format!("{} {} belongs to {}", object.kind, object.name, object.owner));
    }
    let creator = unapplied_creator(failure, &name);
    match &failure.catalog.comparison {
        Some(Comparison::Identical) => identical(problem, failure, creator),
        Some(Comparison::Different(differences)) => different(problem, failure, differences),
        None => unknown(problem, failure, creator),
    }
}

fn name_of(failure: &Failure<'_>) -> String {
    let created = failure.context.facts.creates.first().map(|object| object.name.name.clone());
    failure.quoted(0).map(str::to_owned).or(created).unwrap_or_default()
}

/// Another migration of the folder that creates it and that the history lacks.
fn unapplied_creator<'a>(failure: &'a Failure<'_>, name: &'a str) -> Option<&'a Creator> {
    let version = &failure.context.folder.version;
    failure.creators_of(name).find(|c| !c.applied && c.version != *version)
}

fn identical(problem: Problem, failure: &Failure<'_>, creator: Option<&Creator>) -> Problem {
    let version = &failure.context.folder.version;
    let problem = problem.because(match creator {
        Some(creator) => format!(
            "what exists is identical to what the migration creates; {} creates it too, and the \
             history lacks it",
            creator.label
        ),
        None => "what exists is identical to what the migration creates: it was run before \
                 without being recorded, or by hand"
            .to_owned(),
    });
    resolve(problem, version)
        .fix_with("or record everything that is already there", "pgfleet baseline")
}

fn different(problem: Problem, failure: &Failure<'_>, differences: &[String]) -> Problem {
    let mut problem = problem.because(
        "an object of this name exists and is not what the migration would create: another tool \
         or an earlier attempt made it",
    );
    for difference in differences.iter().take(20) {
        problem = problem.detail(difference.clone());
    }
    let problem = problem.fix(
        "write the difference as ALTER statements in the migration, or rename or drop the old \
         object if nobody needs it",
    );
    resolve(problem, &failure.context.folder.version)
}

fn unknown(problem: Problem, failure: &Failure<'_>, creator: Option<&Creator>) -> Problem {
    let column = failure.error.is("42701");
    let problem = problem.because(match creator {
        Some(creator) => format!("{} creates it too, and the history lacks it", creator.label),
        None if column => "the column was added before, or is named twice".to_owned(),
        None => {
            "it was created by hand, by another tool, or by a run that was not recorded".to_owned()
        }
    });
    let fix = if column { "ADD COLUMN IF NOT EXISTS" } else { "IF NOT EXISTS or OR REPLACE" };
    resolve(problem, &failure.context.folder.version)
        .fix(format!("or make the statement safe to repeat with {fix}, once it is the same"))
}

fn resolve(problem: Problem, version: &str) -> Problem {
    match version {
        "" => problem,
        version => problem.fix_with(
            "when everything that the migration does is there, record it as applied",
            format!("pgfleet resolve --applied {version}"),
        ),
    }
}
