//! The walk over all statements.

use std::cell::OnceCell;

use super::finding::Finding;
use super::ignores::Ignores;
use super::model::Model;
use super::scene::{End, Look, Looked, Scene};
use super::settings::{LintSettings, RuleLevel};
use super::transactions::looked;
use super::{RULES, Rule};
use crate::diagnose::Problem;
use crate::folder::{Chunk, Migration};
use crate::program::{Program, syntax_problems};

/// A migration to walk over.
#[derive(Debug)]
pub struct Linted<'a> {
    /// The migration.
    pub migration: &'a Migration,
    /// Its statements.
    pub program: Program,
    /// The texts that its statements come from, for the comments in them.
    pub texts: Vec<Chunk>,
    /// What is found in it is reported; else it only makes the tables known.
    pub wanted: bool,
}

/// What lint looks at.
pub struct LintInput<'a> {
    /// In apply order.
    pub migrations: &'a [Linted<'a>],
    /// The tables before the first of them.
    pub model: Model,
    /// A target was read.
    pub has_target: bool,
    /// How the team wants to be warned.
    pub settings: &'a LintSettings,
}

/// What lint found.
#[derive(Debug, Default)]
pub struct LintReport {
    /// In the order of the files and statements.
    pub findings: Vec<Finding>,
    /// What is wrong with the comments and the configuration of lint, and what no server reads.
    pub problems: Vec<Problem>,
    /// How many findings a comment or the configuration switched off.
    pub ignored: usize,
    /// How many migrations were looked at.
    pub migrations: usize,
    /// How many statements were looked at.
    pub statements: usize,
}

/// Walks over the migrations.
#[must_use]
pub fn lint(input: LintInput<'_>) -> LintReport {
    let programs: Vec<Vec<Looked<'_>>> = input
        .migrations
        .iter()
        .map(|linted| looked(&linted.program.statements, linted.migration.transaction))
        .collect();
    let mut walk = Walk::new(&input, &programs);
    let mut model = input.model;
    for (at, linted) in input.migrations.iter().enumerate() {
        let adds = |one: &Looked<'_>| one.statement.facts.added_enum_value.is_some();
        walk.adds_enum_value = programs[at].iter().any(adds);
        for (number, statement) in programs[at].iter().enumerate() {
            if linted.wanted {
                walk.look(&model, (at, number));
            }
            model.take((at, number), statement);
        }
    }
    walk.end(&model);
    walk.report(input.has_target)
}

struct Walk<'a> {
    migrations: &'a [Linted<'a>],
    programs: &'a [Vec<Looked<'a>>],
    settings: &'a LintSettings,
    /// Rules that can be reported at all.
    rules: Vec<Rule>,
    /// The migration that is walked adds a value to an enum.
    adds_enum_value: bool,
    ignores: Ignores,
    report: LintReport,
}

impl<'a> Walk<'a> {
    fn new(input: &LintInput<'a>, programs: &'a [Vec<Looked<'a>>]) -> Self {
        let mut ignores = Ignores::default();
        let mut report = LintReport::default();
        for (at, linted) in input.migrations.iter().enumerate().filter(|(_, one)| one.wanted) {
            ignores.read(at, &linted.texts, &programs[at]);
            report.migrations += 1;
            report.statements += programs[at].len();
            report.problems.extend(linted.program.problems.iter().cloned());
            let unread = syntax_problems(&linted.program).into_iter();
            report.problems.extend(unread.filter(Problem::is_error));
        }
        let (migrations, settings) = (input.migrations, input.settings);
        let is_on =
            |rule: &Rule| rule.definition.level != RuleLevel::Off || settings.names(rule.name);
        let rules = RULES.iter().copied().filter(is_on).collect();
        Self { migrations, programs, settings, rules, adds_enum_value: false, ignores, report }
    }

    fn look(&mut self, model: &Model, at: (usize, usize)) {
        let scene = Scene {
            at,
            migration: self.migrations[at.0].migration,
            all: &self.programs[at.0],
            model,
            small_table_rows: self.settings.small_table_rows,
            adds_enum_value: self.adds_enum_value,
            words: OnceCell::new(),
        };
        for rule in self.rules.clone() {
            if let Look::Statement(look) = rule.definition.look {
                look(&scene).into_iter().for_each(|finding| self.take(rule, finding));
            }
        }
    }

    fn end(&mut self, model: &Model) {
        let end = End { model, programs: self.programs };
        for rule in self.rules.clone() {
            if let Look::End(look) = rule.definition.look {
                look(&end).into_iter().for_each(|finding| self.take(rule, finding));
            }
        }
    }

    /// Weighs a finding and keeps it unless somebody switched it off.
    fn take(&mut self, rule: Rule, mut finding: Finding) {
        if !self.migrations.get(finding.at.0).is_some_and(|linted| linted.wanted) {
            return;
        }
        let file = finding.problem.place.as_ref().map_or("", |place| place.file.as_str());
        let said = self.settings.level(rule.name, file);
        // A rule that is off says nothing, whatever a finding weighs.
        let usual = rule.definition.level.severity();
        let usual = usual.map(|usual| finding.weight.unwrap_or(usual));
        let severity = said.map_or(usual, |level| level.severity());
        let commented = self.ignores.covers(rule.name, finding.at, file);
        match severity {
            Some(severity) if !commented => {
                finding.problem.severity = severity;
                finding.problem.rule = Some(rule.name);
                self.report.findings.push(finding);
            }
            _ => self.report.ignored += usize::from(usual.is_some()),
        }
    }

    fn report(mut self, has_target: bool) -> LintReport {
        let key = |finding: &Finding| (finding.at, finding.problem.place.clone());
        self.report.findings.sort_by_key(key);
        self.report.problems.append(&mut self.ignores.problems);
        self.report.problems.extend(self.ignores.unused(has_target));
        self.report
    }
}
