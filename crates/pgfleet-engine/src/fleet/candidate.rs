//! Targets as a source names them, before they are chosen and told apart.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_core::config::Variables;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::Name;

use crate::connect::{ConnectSpec, Endpoint};

/// Names shown of a long list.
const SHOWN_MAX: usize = 50;

/// A target as its source names it.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) spec: ConnectSpec,
    pub(super) schema: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) variables: Variables,
}

impl Candidate {
    pub(super) fn as_name(&self) -> Name<'_> {
        let database = self.schema.as_deref().unwrap_or(&self.spec.database);
        Name { name: &self.name, database, labels: &self.labels }
    }

    fn place(&self) -> (String, &str, Option<&str>) {
        (server_key(&self.spec), &self.spec.database, self.schema.as_deref())
    }
}

/// Tells servers apart: hosts and ports.
pub(crate) fn server_key(spec: &ConnectSpec) -> String {
    spec.endpoints.iter().map(Endpoint::label).collect::<Vec<_>>().join(",")
}

/// Leaves out what is there twice, and makes names tell targets apart. Gives a warning for what
/// was there twice.
pub(super) fn told_apart(candidates: Vec<Candidate>) -> (Vec<Candidate>, Option<Problem>) {
    let mut places: BTreeMap<_, String> = BTreeMap::new();
    let mut twice = Vec::new();
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let (server, database, schema) = candidate.place();
        let place = (server, database.to_owned(), schema.map(str::to_owned));
        if let Some(first) = places.get(&place) {
            twice.push(format!("{} is {first} once more", candidate.name));
            continue;
        }
        places.insert(place, candidate.name.clone());
        kept.push(candidate);
    }
    let mut names = BTreeSet::new();
    for candidate in &mut kept {
        if !names.insert(candidate.name.clone()) {
            candidate.name = format!("{} ({})", candidate.name, candidate.spec.redacted());
            names.insert(candidate.name.clone());
        }
    }
    let problem = (!twice.is_empty()).then(|| {
        let what = match twice.len() {
            1 => "one of the group's entries names a database again".to_owned(),
            count => format!("{count} of the group's entries name a database again"),
        };
        let fix = "Remove them from the registry or the list; each database is worked on once.";
        listed(Problem::warning(Code::EntryDuplicate, what), &twice).fix(fix)
    });
    (kept, problem)
}

/// Adds a list that may be long.
pub(super) fn listed(mut problem: Problem, list: &[String]) -> Problem {
    for one in list.iter().take(SHOWN_MAX) {
        problem = problem.detail(one.clone());
    }
    match list.len().saturating_sub(SHOWN_MAX) {
        0 => problem,
        more => problem.detail(format!("and {more} more")),
    }
}
