//! Runs `corpus/lint`: a folder for each rule, with files `bad*.sql` that the rule must find something
//! in, each with what it says in a `.txt` of the same name, and `good*.sql` that it must be silent
//! about. `-- migration` begins another migration. A `.toml` of the same name describes a target that
//! was read, so that the file holds what is pending there. `UPDATE_CORPUS=1` writes the expectations
//! anew.

#![allow(clippy::unwrap_used, reason = "a corpus that cannot be read must fail the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_core::folder::{Migration, MigrationKind, SqlBody, TransactionMode};
use pgfleet_core::lint::{
    Finding, LintInput, LintReport, LintSection, LintSettings, Linted, Model, Rule, RuleLevel,
    TableFacts, TableSize, TargetOutline, lint,
};
use pgfleet_core::missing::OutlineTable;
use pgfleet_core::place::Place;
use pgfleet_core::prisma::ObjectName;
use pgfleet_core::program;
use proptest::prelude::*;
use serde::Deserialize;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/lint")
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The target that a case is held against.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetCase {
    tables: BTreeMap<String, TableCase>,
    #[serde(default)]
    enums: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TableCase {
    rows: Option<u64>,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    objects: BTreeMap<String, String>,
    #[serde(default)]
    row_security: bool,
    #[serde(default)]
    policies: usize,
    replica_index: Option<String>,
}

impl TargetCase {
    fn outline(self) -> TargetOutline {
        let mut target = TargetOutline::default();
        let public = |name: String| ObjectName { schema: "public".to_owned(), name };
        for (name, table) in self.tables {
            let outline = OutlineTable { columns: table.columns, objects: table.objects };
            target.outline.tables.insert(public(name.clone()), outline);
            let size = table.rows.map(|rows| TableSize { rows, bytes: rows * 100 });
            let facts = TableFacts {
                size,
                row_security: table.row_security,
                policies: table.policies,
                replica_index: table.replica_index,
            };
            target.tables.insert(public(name), facts);
        }
        target.outline.enums =
            self.enums.into_iter().map(|(name, values)| (public(name), values)).collect();
        target
    }
}

fn migration(number: usize, sql: &str) -> Migration {
    let file = format!("{number}.sql");
    Migration {
        version: number.to_string(),
        name: String::new(),
        kind: MigrationKind::Versioned,
        size_bytes: sql.len() as u64,
        up: SqlBody::verbatim(sql, Place::at(&file, 1, 1)),
        file,
        down: None,
        checksum: None,
        transaction: match sql.contains("-- no-transaction") {
            true => TransactionMode::Never,
            false => TransactionMode::Auto,
        },
        opaque: None,
        opaque_down: None,
    }
}

fn report(sql: &str, target: Option<TargetOutline>, settings: &LintSettings) -> LintReport {
    let parts: Vec<_> = sql.split("-- migration\n").enumerate().collect();
    let migrations: Vec<_> = parts.iter().map(|(at, part)| migration(at + 1, part)).collect();
    let linted = |migration| Linted {
        program: program::build(&Migration::clone(migration).up, &|_, _, _| None),
        texts: migration.up.chunks.clone(),
        migration,
        wanted: true,
    };
    let migrations: Vec<_> = migrations.iter().map(linted).collect();
    let has_target = target.is_some();
    let model = match &target {
        Some(target) => Model::of_target(target, "public"),
        None => Model::empty("public"),
    };
    lint(LintInput { migrations: &migrations, model, has_target, settings })
}

/// Rules that are off unless they are asked for are asked for.
fn all_on() -> LintSettings {
    let off = Rule::all().iter().map(Rule::summary).filter(|rule| rule.level == RuleLevel::Off);
    let severity = off.map(|rule| (rule.name.to_owned(), RuleLevel::Warning)).collect();
    LintSettings::of(&LintSection { severity, ..LintSection::default() }).unwrap()
}

fn said(rule: &str, file: &Path) -> String {
    let sql = fs::read_to_string(file).unwrap();
    let target = fs::read_to_string(file.with_extension("toml")).ok().map(|text| {
        let case: TargetCase =
            toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        case.outline()
    });
    let report = report(&sql, target, &all_on());
    assert_eq!(report.problems, [], "{}", file.display());
    let of_rule = report.findings.iter().filter(|finding| finding.problem.rule == Some(rule));
    of_rule.map(shown).collect()
}

fn shown(finding: &Finding) -> String {
    let problem = &finding.problem;
    let place = problem.place.as_ref().unwrap();
    let mut text = format!("{:?} {place}\n  {}\n", problem.severity, problem.what);
    let snippet = problem.snippet.as_ref().unwrap();
    let marked = snippet.line_text.chars().skip(snippet.column as usize - 1);
    let marked: String = marked.take(snippet.length as usize).collect();
    writeln!(text, "  marked: {marked}").unwrap();
    problem.cause.iter().for_each(|cause| writeln!(text, "  cause: {cause}").unwrap());
    problem.details.iter().for_each(|detail| writeln!(text, "  - {detail}").unwrap());
    for fix in &problem.fixes {
        writeln!(text, "  fix: {}", fix.text).unwrap();
        for line in fix.command.iter().flat_map(|command| command.lines()) {
            writeln!(text, "    {line}").unwrap();
        }
    }
    if let Some(question) = &finding.question {
        writeln!(text, "  asks: {}", question.sql).unwrap();
    }
    text
}

#[test]
fn every_rule_has_a_folder_and_every_folder_a_rule() {
    let rules: BTreeSet<_> = Rule::all().iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(names_in(&corpus()), rules);
}

#[test]
fn every_rule_has_a_page_with_all_sections() {
    for rule in Rule::all() {
        let heading = format!("# {}\n", rule.name);
        assert!(rule.page.starts_with(&heading), "{}", rule.name);
        for section in ["\n## Why\n", "\n## Instead\n"] {
            assert!(rule.page.contains(section), "{} lacks {section}", rule.name);
        }
    }
    let pages = names_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lint"));
    let named: BTreeSet<_> = Rule::all().iter().map(|rule| format!("{}.md", rule.name)).collect();
    assert_eq!(pages, named);
}

#[test]
fn rules_find_what_is_bad_and_are_silent_about_what_is_good() {
    let mut wrong = Vec::new();
    for rule in Rule::all() {
        let folder = corpus().join(rule.name);
        let files = names_in(&folder);
        let of = |kind: &str| {
            files.iter().filter(|f| f.starts_with(kind) && f.ends_with(".sql")).cloned().collect()
        };
        let (bad, good): (Vec<String>, Vec<String>) = (of("bad"), of("good"));
        assert!(!bad.is_empty() && !good.is_empty(), "{} needs bad and good cases", rule.name);
        for file in good {
            let found = said(rule.name, &folder.join(&file));
            if !found.is_empty() {
                wrong.push(format!("{}/{file} is good, and it says:\n{found}", rule.name));
            }
        }
        wrong.extend(bad.into_iter().filter_map(|file| wrong_about(rule.name, &folder.join(file))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is not as expected of a bad file.
fn wrong_about(rule: &str, file: &Path) -> Option<String> {
    let found = said(rule, file);
    let place = file.with_extension("txt");
    if found.is_empty() {
        return Some(format!("{} is bad, and it says nothing", file.display()));
    }
    if std::env::var_os("UPDATE_CORPUS").is_some() {
        fs::write(&place, &found).unwrap();
    }
    let expected = fs::read_to_string(&place).unwrap_or_default();
    (found != expected).then(|| format!("{}:\n{found}", place.display()))
}

fn ids(report: &LintReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.problem.id()).collect()
}

#[test]
fn comments_switch_rules_off_where_they_stand() {
    let settings = LintSettings::default();
    let sql = "-- pgfleet-lint-ignore ban-drop-table the code is gone\nDROP TABLE a;\nDROP TABLE b; -- pgfleet-lint-ignore ban-drop-table, renaming-table\n/* squawk-ignore ban-drop-table */ DROP TABLE c;\n-- squawk-ignore ban-set-schema\nALTER TABLE t SET SCHEMA s;\nDROP TABLE d;\n";
    let found = report(sql, None, &settings);
    assert_eq!((ids(&found), found.ignored), (vec!["ban-drop-table"], 4));
    assert_eq!(found.findings[0].problem.place, Some(Place::at("1.sql", 7, 1)));
    assert_eq!(found.problems, []);
    let whole = report(
        "-- pgfleet-lint-ignore-file ban-drop-table all of it\nDROP TABLE a;\nDROP TABLE b;",
        None,
        &settings,
    );
    assert_eq!((ids(&whole), whole.ignored), (vec![], 2));
}

#[test]
fn comments_that_do_nothing_or_name_nothing_are_told() {
    let settings = LintSettings::default();
    let sql = "-- pgfleet-lint-ignore ban-drop-tabel\nDROP TABLE a;\n-- pgfleet-lint-ignore\nSELECT 1;\n-- pgfleet-lint-ignore ban-drop-table\nSELECT 2;\n-- pgfleet-lint-ignore changing-column-type only a target tells\nSELECT 3;";
    let found = report(sql, None, &settings);
    let told: Vec<_> =
        found.problems.iter().map(|p| (p.code.id(), p.place.clone().unwrap().line)).collect();
    assert_eq!(told, [("PF142", 1), ("PF142", 3), ("PF521", 5)]);
    assert_eq!(found.problems[0].details, ["did you mean ban-drop-table?"]);
}

#[test]
fn the_configuration_weighs_rules() {
    let section = "severity = { ban-drop-table = 'error' }\nignore = ['ban-drop-column']\n[[path]]\nfiles = '2.sql'\n";
    let settings = LintSettings::of(&toml::from_str(section).unwrap()).unwrap();
    let sql = "DROP TABLE a;\nALTER TABLE b DROP COLUMN c;\n-- migration\nDROP TABLE d;";
    let found = report(sql, None, &settings);
    assert_eq!((ids(&found), found.ignored), (vec!["ban-drop-table"], 2));
    assert!(found.findings[0].problem.is_error());
}

/// Every statement of the corpus.
fn all_statements() -> Vec<String> {
    let mut statements = Vec::new();
    for rule in Rule::all() {
        let folder = corpus().join(rule.name);
        for file in names_in(&folder).iter().filter(|file| file.ends_with(".sql")) {
            let sql = fs::read_to_string(folder.join(file)).unwrap();
            statements.extend(sql.split_inclusive(";\n").map(str::to_owned));
        }
    }
    statements
}

/// Statements of all cases in any order, some cut off in the middle, in some migrations.
fn any_script() -> impl Strategy<Value = String> {
    let any = prop::sample::select(all_statements());
    let cut = (any, prop::option::weighted(0.2, 0.0..1.0f64)).prop_map(|(mut text, cut)| {
        if let Some(share) = cut {
            let mut end = (text.len() as f64 * share) as usize;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
        }
        text
    });
    prop::collection::vec(cut, 0..30).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn whatever_is_looked_at_every_finding_marks_a_place(sql in any_script()) {
        let found = report(&sql, Some(TargetOutline::default()), &all_on());
        for finding in &found.findings {
            let snippet = finding.problem.snippet.as_ref().unwrap();
            let characters = u32::try_from(snippet.line_text.chars().count()).unwrap();
            prop_assert!(snippet.column >= 1 && snippet.column <= characters.max(1));
            let place = finding.problem.place.as_ref().unwrap();
            prop_assert!(place.line >= 1 && place.column >= 1);
            prop_assert!(finding.problem.rule.is_some_and(|name| Rule::named(name).is_some()));
        }
    }
}
