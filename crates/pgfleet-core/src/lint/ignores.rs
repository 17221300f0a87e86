//! Comments that switch rules off: `-- pgfleet-lint-ignore RULE reason` for the statement it stands
//! in, behind or before, `-- pgfleet-lint-ignore-file RULE reason` for a file. squawk's own comments
//! are honoured, under squawk's names.

use pgfleet_sql::LineIndex;
use pgfleet_sql::shape::{Comment, comments};

use super::finding::StatementId;
use super::scene::Looked;
use super::{Rule, unknown_rule};
use crate::diagnose::{Code, Problem};
use crate::folder::Chunk;
use crate::place::Place;
use crate::program;

/// Marks and what they mean: ours or squawk's, for the file or for a statement. Longer ones first.
const MARKS: &[(&str, bool, bool)] = &[
    ("pgfleet-lint-ignore-file", true, true),
    ("pgfleet-lint-ignore", true, false),
    ("squawk-ignore-file", false, true),
    ("squawk-ignore", false, false),
];

/// The ignore comments of all files.
#[derive(Debug, Default)]
pub(super) struct Ignores {
    entries: Vec<Ignore>,
    /// Comments that name no rule, or none that exists.
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug)]
struct Ignore {
    /// Says where it stands, when it does nothing.
    unused: Problem,
    rules: Vec<String>,
    ours: bool,
    scope: Scope,
    used: bool,
}

#[derive(Debug)]
enum Scope {
    File(String),
    Statements(Vec<StatementId>),
}

impl Ignores {
    /// Reads the comments of one migration's texts.
    pub(super) fn read(&mut self, migration: usize, texts: &[Chunk], looked: &[Looked<'_>]) {
        for chunk in texts.iter().filter(|chunk| chunk.sql.contains("-ignore")) {
            for comment in comments(&chunk.sql) {
                self.read_comment(migration, chunk, &comment, looked);
            }
        }
    }

    fn read_comment(
        &mut self,
        migration: usize,
        chunk: &Chunk,
        comment: &Comment,
        looked: &[Looked<'_>],
    ) {
        let Some((rest, ours, whole_file)) = marked(&comment.text) else { return };
        let mut rules = rules_in(rest);
        if !ours {
            rules.iter_mut().for_each(|name| *name = own_name(name));
        }
        let offset = comment.range.start;
        let place = program::place_in(&chunk.sql, &chunk.place, chunk.verbatim, offset);
        let at = |mut problem: Problem| {
            let length = u32::try_from(comment.range.len()).unwrap_or(1);
            problem.snippet = Some(program::snippet_at(&chunk.sql, offset, length));
            problem.at(place.clone())
        };
        if ours {
            let unknown = rules.iter().find(|name| Rule::named(name).is_none());
            self.problems.extend(unknown.map(|name| at(unknown_rule(name))));
            if rules.is_empty() {
                return self.problems.push(at(names_no_rule()));
            }
        }
        let scope = match whole_file {
            true => Scope::File(place.file.clone()),
            false => Scope::Statements(statements_at(migration, &place, looked)),
        };
        let unused = at(does_nothing(&rules));
        self.entries.push(Ignore { unused, rules, ours, scope, used: false });
    }

    /// Whether a comment switches the rule off for the statement, which then is one that does
    /// something.
    pub(super) fn covers(&mut self, rule: &str, at: StatementId, file: &str) -> bool {
        let mut found = false;
        for entry in &mut self.entries {
            let here = match &entry.scope {
                Scope::File(whole) => whole == file,
                Scope::Statements(statements) => statements.contains(&at),
            };
            let named = entry.rules.iter().any(|name| name == rule);
            if here && (named || !entry.ours && entry.rules.is_empty()) {
                entry.used = true;
                found = true;
            }
        }
        found
    }

    /// Our comments that switched nothing off. What only a target shows is not missed without one.
    pub(super) fn unused(self, has_target: bool) -> impl Iterator<Item = Problem> {
        let could = move |name: &String| {
            Rule::named(name).is_some_and(|rule| has_target || !rule.definition.needs_target)
        };
        let idle = move |entry: &Ignore| entry.ours && !entry.used && entry.rules.iter().all(could);
        self.entries.into_iter().filter(idle).map(|entry| entry.unused)
    }
}

/// What a rule of squawk is called here, where the names differ.
fn own_name(squawk: &str) -> String {
    let own = match squawk {
        "ban-alter-domain-with-add-constraint" | "ban-create-domain-with-constraint" => {
            "ban-domain-constraint"
        }
        "ban-alter-generated-expression" | "prefer-repack" => "table-rewrite",
        "ban-drop-schema" => "ban-drop-database",
        "ban-revoke" => "privilege-change",
        "ban-set-schema" => "renaming-table",
        "prefer-timestamp-tz" => "prefer-timestamptz",
        "require-lock-timeout" | "require-statement-timeout" => "require-timeout-settings",
        same => same,
    };
    own.to_owned()
}

fn marked(comment: &str) -> Option<(&str, bool, bool)> {
    MARKS.iter().find_map(|(mark, ours, file)| {
        let rest = comment.strip_prefix(mark)?;
        let ends = rest.is_empty() || rest.starts_with([' ', '\t', ':']);
        ends.then(|| (rest.trim_start_matches(':').trim(), *ours, *file))
    })
}

/// `a, b reason`: names separated by commas, then the reason.
fn rules_in(text: &str) -> Vec<String> {
    let mut rules = Vec::new();
    for word in text.split_whitespace() {
        let names = word.split(',').filter(|name| !name.is_empty());
        rules.extend(names.map(str::to_owned));
        if !word.ends_with(',') {
            break;
        }
    }
    rules
}

/// The statement that the place lies in or on whose last line it stands, else the next one.
fn statements_at(migration: usize, place: &Place, looked: &[Looked<'_>]) -> Vec<StatementId> {
    let of_file =
        looked.iter().enumerate().filter(|(_, one)| one.statement.place.file == place.file);
    let here: Vec<_> = of_file.collect();
    let is_same = |one: &Looked<'_>| !one.statement.verbatim && one.statement.place == *place;
    let same: Vec<_> = here.iter().filter(|(_, one)| is_same(one)).collect();
    if !same.is_empty() {
        return same.into_iter().map(|(at, _)| (migration, *at)).collect();
    }
    let begun = here.iter().rev().find(|(_, one)| one.statement.place <= *place);
    let inside = begun.filter(|(_, one)| last_line(one) >= place.line);
    let next = || here.iter().find(|(_, one)| one.statement.place > *place);
    inside.or_else(next).map(|(at, _)| (migration, *at)).into_iter().collect()
}

fn last_line(looked: &Looked<'_>) -> u32 {
    let statement = looked.statement;
    let end = LineIndex::new(&statement.sql).position(statement.sql.trim_end().len());
    statement.place.line + end.line - 1
}

fn names_no_rule() -> Problem {
    Problem::error(Code::LintRuleUnknown, "a lint comment names no rule")
        .fix("Name the rule and say why: -- pgfleet-lint-ignore RULE reason")
}

fn does_nothing(rules: &[String]) -> Problem {
    let what = format!("nothing is ignored here: {} finds nothing", rules.join(", "));
    Problem::note(Code::LintIgnoreUnused, what).fix("Remove the comment.")
}
