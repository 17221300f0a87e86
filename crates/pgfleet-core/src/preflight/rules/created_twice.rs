//! Objects that are created although an earlier migration created them.

use pgfleet_sql::Facts;

use super::super::Here;
use super::super::world::{Class, Key, World};
use super::{Rule, at_word};
use crate::diagnose::{Code, Problem};

#[derive(Default)]
pub(super) struct CreatedTwice {
    problems: Vec<Problem>,
}

impl Rule for CreatedTwice {
    fn look(&mut self, world: &World<'_>, here: Here<'_>) {
        let facts = &here.statement.facts;
        if facts.if_not_exists || facts.or_replace || is_temporary(facts) {
            return;
        }
        for object in &facts.creates {
            // Functions may share a name; what a table brings along is not followed.
            let key = Key::of(object).filter(|key| key.class != Class::Function);
            let Some(key) = key else { continue };
            if let Some(first) = world.surely_there(&key) {
                let (noun, name) = (key.noun(), key.shown());
                let what = format!("{noun} {name} is created again; {first} created it");
                let problem = Problem::error(Code::ObjectExists, what)
                    .because("the second CREATE would fail: nothing drops the object in between")
                    .fix("Remove one of the two, or drop the object before it is created anew.");
                let word = key.name.rsplit('.').next().unwrap_or_default().to_owned();
                self.problems.push(at_word(problem, here.statement, &word));
            }
        }
    }

    fn finish(self: Box<Self>) -> Vec<Problem> {
        self.problems
    }
}

fn is_temporary(facts: &Facts) -> bool {
    facts.creates.iter().any(|object| object.name.schema.as_deref() == Some("pg_temp"))
}
