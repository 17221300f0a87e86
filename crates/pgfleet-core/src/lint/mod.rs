//! Lint: what a migration does to a database that is in use, and what could be written better.
//!
//! The statements are walked in apply order beside a [`Model`] of the tables as they are at that
//! moment, so that a rule knows what is new and therefore empty, what is indexed, and, when a target
//! was read, how many rows there are. Invariants: a rule looks at one statement or at the end and
//! knows no other rule; a rule changes nothing.

mod finding;
mod ignores;
mod model;
mod rules;
mod scene;
mod settings;
mod target;
mod transactions;
mod walk;

use serde::Serialize;

use crate::diagnose::{Code, Problem, closest_name};

pub use finding::{Finding, Question};
pub use model::Model;
pub use settings::{LintSection, LintSettings, PathSection, RuleLevel};
pub use target::{TableFacts, TableSize, TargetOutline};
pub use walk::{LintInput, LintReport, Linted, lint};

use rules::RULES;
use scene::{End, Look, Scene};

/// A rule as people know it.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name, in output, configuration and comments.
    pub name: &'static str,
    /// The page that explains it, in Markdown.
    pub page: &'static str,
    definition: &'static Definition,
}

/// What a rule's file says of it.
#[derive(Debug)]
struct Definition {
    /// A few words that name what it finds.
    title: &'static str,
    /// How much a finding weighs when the rule itself says nothing else.
    level: RuleLevel,
    /// Without a target it finds nothing, or less.
    needs_target: bool,
    look: Look,
}

impl Definition {
    /// A rule that looks at each statement.
    const fn statement(
        title: &'static str,
        level: RuleLevel,
        look: fn(&Scene<'_>) -> Vec<Finding>,
    ) -> Self {
        Self { title, level, needs_target: false, look: Look::Statement(look) }
    }

    /// A rule that looks when all statements were walked.
    const fn end(
        title: &'static str,
        level: RuleLevel,
        look: fn(&End<'_>) -> Vec<Finding>,
    ) -> Self {
        Self { title, level, needs_target: false, look: Look::End(look) }
    }

    /// The rule needs a target to find everything.
    const fn with_target(mut self) -> Self {
        self.needs_target = true;
        self
    }
}

/// A rule, for lists.
#[derive(Debug, Clone, Serialize)]
pub struct RuleSummary {
    /// Its name.
    pub name: &'static str,
    /// A few words that name what it finds.
    pub title: &'static str,
    /// How much a finding weighs.
    pub level: RuleLevel,
}

impl Rule {
    /// Every rule, by name.
    pub fn all() -> &'static [Self] {
        RULES
    }

    /// The rule of this name.
    pub fn named(name: &str) -> Option<Self> {
        RULES.iter().copied().find(|rule| rule.name == name)
    }

    /// A few words that name what it finds.
    pub fn title(&self) -> &'static str {
        self.definition.title
    }

    /// What lists say about it.
    pub fn summary(&self) -> RuleSummary {
        RuleSummary { name: self.name, title: self.title(), level: self.definition.level }
    }
}

/// Says that no rule has a name, with the one that was probably meant.
pub fn unknown_rule(name: &str) -> Problem {
    let problem = Problem::error(Code::LintRuleUnknown, format!("no lint rule is called {name:?}"));
    let problem = match closest_name(name, RULES.iter().map(|rule| rule.name)) {
        Some(near) => problem.detail(format!("did you mean {near}?")),
        None => problem,
    };
    problem.fix_with("See every rule.", "pgfleet lint --rules")
}
