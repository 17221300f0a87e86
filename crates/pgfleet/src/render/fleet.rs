//! Many targets for people: what is alike, who differs, who failed.

use std::collections::BTreeMap;
use std::rc::Rc;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::{Told, advise_for_all, advised_group, alike, shell_word};
use pgfleet_core::history::{MigrationStatus, Verdict};
use pgfleet_core::report::FleetReport;
use pgfleet_core::schema::Schema;

use super::status::verdict as verdict_words;
use super::style::{Role, Style};
use super::text::{clean_line, counted, cut, duration, grouped, pad, width_of};
use crate::cli::TargetResult;

/// Targets that are named one by one; of more, the first.
const NAMED_MAX: usize = 10;
/// Plans that are shown.
const PLANS_MAX: usize = 3;
/// Lines behind a headline.
const DETAILS_MAX: usize = 6;
/// Rows of the matrix.
const ROWS_MAX: usize = 40;
/// Migrations that a target lacks or has besides, named one by one.
const DIFFERENCES_MAX: usize = 4;

/// How many targets, what is said of how many, and the slowest.
pub fn fleet_overview(out: &mut String, style: &Style, group: &str, results: &[TargetResult]) {
    heading(out, style, group, results);
    let said = results.iter().enumerate();
    let said = said.map(|(at, TargetResult { verdict, .. })| {
        (at, (!verdict.ok, verdict.headline.as_str(), verdict.details.as_slice()))
    });
    let mut groups = alike(said);
    let majority = groups.first().map(|like| like.what);
    groups.sort_by_key(|like| like.what.0);
    for (position, like) in groups.iter().enumerate() {
        let (failed, headline, details) = like.what;
        let names = names(style, results, &like.targets, Some(like.what) != majority || failed);
        line(out, style, failed, like.targets.len(), headline, &names);
        if failed && position < NAMED_MAX {
            behind(out, style, details);
        }
    }
    slowest(out, style, results);
}

/// What is behind a headline.
fn behind(out: &mut String, style: &Style, details: &[String]) {
    let mut line = |text: &str| {
        out.push_str(&style.paint(Role::Faint, &format!("            {}", clean_line(text))));
        out.push('\n');
    };
    details.iter().take(DETAILS_MAX).for_each(|detail| line(detail));
    if let Some(more @ 1..) = details.len().checked_sub(DETAILS_MAX) {
        line(&format!("and {} more; all of them: --output json", grouped(more)));
    }
}

/// Targets by their migrations' verdicts: the majority, and how the others differ from it.
pub fn fleet_statuses(out: &mut String, style: &Style, group: &str, results: &[TargetResult]) {
    heading(out, style, group, results);
    let (read, unread): (Vec<_>, Vec<_>) =
        (0..results.len()).partition(|at| is_read(&results[*at]));
    let verdicts = |at: usize| -> Vec<(&str, Verdict)> {
        results[at].result.statuses.iter().map(|s| (s.version.as_str(), s.verdict)).collect()
    };
    let groups = alike(read.into_iter().map(|at| (at, verdicts(at))));
    let majority = groups.first().map(|group| group.what.clone()).unwrap_or_default();
    for (position, like) in groups.iter().enumerate() {
        let first = &results[like.targets[0]].result.statuses;
        let words = match position {
            0 => counts(style, first),
            _ => difference(&majority, &like.what, like.targets.len()),
        };
        let unsettled = like.what.iter().any(|(_, verdict)| *verdict != Verdict::Applied);
        let names = names(style, results, &like.targets, groups.len() > 1 && position > 0);
        let words =
            if position == 0 && groups.len() > 1 { format!("alike: {words}") } else { words };
        line(out, style, position > 0 && unsettled, like.targets.len(), &words, &names);
    }
    for at in &unread {
        let one = &results[*at].verdict;
        line(out, style, true, 1, &one.headline, &format!(": {}", clean_line(&one.target)));
    }
    let rows: Vec<(Vec<usize>, &[MigrationStatus])> = groups
        .iter()
        .map(|like| (like.targets.clone(), results[like.targets[0]].result.statuses.as_slice()))
        .collect();
    matrix(out, style, results, &rows);
}

/// Each plan that targets have, as one of them has it, by `shown`; the most common come first.
pub fn fleet_plans<'s>(
    out: &mut String,
    style: &Style,
    results: &[TargetResult],
    shown: &dyn Fn(&str) -> Option<&'s (String, String)>,
) {
    let known = results.iter().enumerate();
    let known = known.filter_map(|(at, one)| Some((at, one.result.fingerprint.clone()?)));
    let plans = alike(known);
    for like in plans.iter().take(PLANS_MAX) {
        let Some((target, plan)) = shown(&like.what) else { continue };
        let others = match like.targets.len() - 1 {
            0 => String::new(),
            others => format!(" and {} alike", grouped(others)),
        };
        let names = format!("{}{others}", clean_line(target));
        out.push_str(&format!("\n{}\n{plan}", style.paint(Role::Strong, &names)));
    }
    if let Some(hidden @ 1..) = plans.len().checked_sub(PLANS_MAX) {
        let hidden = counted(hidden, "more plan");
        out.push_str(&format!(
            "\n{hidden}; to see one: pgfleet plan --group GROUP --only TARGET\n"
        ));
    }
}

/// Targets by their schemas: the majority, and what makes the others differ from it.
pub fn fleet_schemas(
    out: &mut String,
    style: &Style,
    results: &[TargetResult],
    schema: &dyn Fn(&str) -> Option<Rc<Schema>>,
) {
    let known = results.iter().enumerate();
    let known = known.filter_map(|(at, one)| Some((at, one.result.fingerprint.clone()?)));
    let groups = alike(known);
    let Some(majority) = groups.first().and_then(|group| schema(&group.what)) else { return };
    if groups.len() == 1 {
        out.push_str("\nschemas: the same everywhere\n");
        return;
    }
    let count = counted(groups.len(), "schema");
    out.push_str(&format!(
        "\nschemas: {count} among the targets; what differs from the most common\n"
    ));
    for (position, like) in groups.iter().enumerate() {
        let digits: String = like.what.chars().take(12).collect();
        let names = names(style, results, &like.targets, position > 0);
        line(out, style, position > 0, like.targets.len(), &digits, &names);
        let Some(other) = schema(&like.what).filter(|_| position > 0) else { continue };
        let mut changes = String::new();
        super::schema::differences(&mut changes, style, &majority, &other);
        for change in changes.lines() {
            out.push_str(&format!("            {change}\n"));
        }
    }
}

/// A target that could not be read has no verdicts.
fn is_read(result: &TargetResult) -> bool {
    !result.result.targets.is_empty()
}

fn heading(out: &mut String, style: &Style, group: &str, results: &[TargetResult]) {
    let failed = results.iter().filter(|one| !one.verdict.ok && one.verdict.tried).count();
    let untried = results.iter().filter(|one| !one.verdict.tried).count();
    let name = style.paint(Role::Strong, &clean_line(group));
    let tail = match failed {
        0 => String::new(),
        _ => format!(", {}", style.paint(Role::Bad, &format!("{} failed", grouped(failed)))),
    };
    let left = match untried {
        0 => String::new(),
        _ => format!(", {} not tried", grouped(untried)),
    };
    out.push_str(&format!("{name}: {}{tail}{left}\n", counted(results.len(), "target")));
}

fn line(out: &mut String, style: &Style, bad: bool, count: usize, words: &str, names: &str) {
    let (glyph, role) = match bad {
        false => (style.glyph("✔", "ok"), Role::Good),
        true => (style.glyph("✘", "!!"), Role::Bad),
    };
    let count = format!("{:>6}", grouped(count));
    out.push_str(&format!("{count}  {} {}{names}\n", style.paint(role, glyph), clean_line(words)));
}

/// `: a, b, c and 3 more`
fn names(style: &Style, results: &[TargetResult], targets: &[usize], wanted: bool) -> String {
    if !wanted {
        return String::new();
    }
    let named = targets.iter().take(NAMED_MAX);
    let named: Vec<_> = named.map(|at| clean_line(&results[*at].verdict.target)).collect();
    let more = match targets.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {} more", grouped(more)),
    };
    style.paint(Role::Faint, &format!(": {}{more}", named.join(", ")))
}

fn slowest(out: &mut String, style: &Style, results: &[TargetResult]) {
    let slow = results.iter().max_by(|a, b| a.verdict.elapsed_ms.total_cmp(&b.verdict.elapsed_ms));
    let Some(slow) = slow.filter(|one| one.verdict.elapsed_ms >= 1000.0) else { return };
    let time = duration(slow.verdict.elapsed_ms);
    let text = format!("        slowest: {} ({time})", clean_line(&slow.verdict.target));
    out.push_str(&style.paint(Role::Faint, &text));
    out.push('\n');
}

/// `20 applied, 2 pending`, for one target of many.
pub fn status_headline(style: &Style, statuses: &[MigrationStatus]) -> String {
    counts(style, statuses)
}

/// `20 applied, 2 pending`
fn counts(style: &Style, statuses: &[MigrationStatus]) -> String {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for status in statuses {
        *counts.entry(status.verdict).or_default() += 1;
    }
    let part = |(verdict, count): (Verdict, usize)| {
        format!("{} {}", grouped(count), verdict_words(style, verdict).1)
    };
    match counts.is_empty() {
        true => "no migrations".to_owned(),
        false => counts.into_iter().map(part).collect::<Vec<_>>().join(", "),
    }
}

/// `lack 0019, 0020; have 0021 besides`
fn difference(majority: &[(&str, Verdict)], other: &[(&str, Verdict)], targets: usize) -> String {
    let (lacks, has) = if targets == 1 { ("lacks", "has") } else { ("lack", "have") };
    let of = |list: &[(&str, Verdict)], version: &str| {
        list.iter().find(|(one, _)| *one == version).map(|(_, verdict)| *verdict)
    };
    let is_there = |verdict: Option<Verdict>| {
        matches!(verdict, Some(Verdict::Applied | Verdict::Changed | Verdict::MissingFile))
    };
    let (mut lack, mut besides, mut else_) = (Vec::new(), Vec::new(), Vec::new());
    let versions = other.iter().chain(majority).map(|(version, _)| *version);
    let mut seen = std::collections::BTreeSet::new();
    for version in versions.filter(|version| seen.insert(*version)) {
        let (usual, here) = (of(majority, version), of(other, version));
        match (is_there(usual), is_there(here)) {
            (true, false) => lack.push(version),
            (false, true) => besides.push(version),
            _ if usual != here => else_.push((version, here)),
            _ => {}
        }
    }
    let mut parts = Vec::new();
    parts.extend((!lack.is_empty()).then(|| format!("{lacks} {}", some(&lack))));
    parts.extend((!besides.is_empty()).then(|| format!("{has} {} besides", some(&besides))));
    for (version, here) in else_.iter().take(DIFFERENCES_MAX) {
        parts.push(match here {
            Some(verdict) => format!("{version} is {}", verdict_word(*verdict)),
            None => format!("{version} is not known"),
        });
    }
    parts.join("; ")
}

fn some(versions: &[&str]) -> String {
    let named = versions.iter().take(DIFFERENCES_MAX).map(|v| clean_line(v)).collect::<Vec<_>>();
    match versions.len().saturating_sub(DIFFERENCES_MAX) {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), grouped(more)),
    }
}

/// `pending`
pub fn verdict_word(verdict: Verdict) -> &'static str {
    verdict_words(&Style { colour: false, unicode: false, width: 80 }, verdict).1
}

/// One row a target, or where they are many one row a group of alike ones; one mark a migration,
/// or where those are many the number of equal ones after each other.
fn matrix(
    out: &mut String,
    style: &Style,
    results: &[TargetResult],
    groups: &[(Vec<usize>, &[MigrationStatus])],
) {
    let targets: usize = groups.iter().map(|(targets, _)| targets.len()).sum();
    let mut rows: Vec<(String, &[MigrationStatus])> = Vec::new();
    for (members, statuses) in groups {
        if targets <= ROWS_MAX {
            let name = |at: &usize| clean_line(&results[*at].verdict.target);
            rows.extend(members.iter().map(|at| (name(at), *statuses)));
        } else {
            let first = clean_line(&results[members[0]].verdict.target);
            let more = members.len() - 1;
            let name = if more == 0 { first } else { format!("{first} +{}", grouped(more)) };
            rows.push((name, statuses));
        }
    }
    if rows.is_empty() || rows.iter().all(|(_, statuses)| statuses.is_empty()) {
        return;
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    let width = rows.iter().map(|(name, _)| width_of(name)).max().unwrap_or(0).min(40);
    let room = style.width.saturating_sub(width + 4);
    out.push('\n');
    for (name, statuses) in rows {
        let name = pad(&cut(&name, width, style.glyph("…", "...")), width);
        out.push_str(&format!("  {name}  {}\n", marks(style, statuses, room)));
    }
    if more > 0 {
        out.push_str(&format!("  and {} more rows; all of them: --output json\n", grouped(more)));
    }
    legend(out, style);
}

fn marks(style: &Style, statuses: &[MigrationStatus], room: usize) -> String {
    let mark = |verdict: Verdict| {
        let (glyph, _, role) = verdict_words(style, verdict);
        (glyph, role)
    };
    if statuses.len() <= room {
        return statuses
            .chunk_by(|a, b| a.verdict == b.verdict)
            .map(|run| {
                let (glyph, role) = mark(run[0].verdict);
                style.paint(role, &glyph.repeat(run.len()))
            })
            .collect();
    }
    let runs = statuses.chunk_by(|a, b| a.verdict == b.verdict).map(|run| {
        let (glyph, role) = mark(run[0].verdict);
        style.paint(role, &format!("{glyph}×{}", grouped(run.len())))
    });
    runs.collect::<Vec<_>>().join(" ")
}

fn legend(out: &mut String, style: &Style) {
    let all = [
        Verdict::Applied,
        Verdict::Pending,
        Verdict::Failed,
        Verdict::Changed,
        Verdict::MissingFile,
        Verdict::OutOfOrder,
    ];
    let parts: Vec<_> = all
        .into_iter()
        .map(|verdict| {
            let (glyph, word, _) = verdict_words(style, verdict);
            format!("{glyph} {word}")
        })
        .collect();
    out.push_str(&style.paint(Role::Faint, &format!("  {}", parts.join("  "))));
    out.push_str("\n\n");
}

/// What a problem says besides its target.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    code: Code,
    what: String,
    place: Option<String>,
    group: Option<String>,
}

/// Problems that are the same in several targets, once each with the targets' names. `fleet` has all
/// targets that the command worked on, and `chosen` the flags that chose them.
pub fn merged(problems: Vec<Problem>, fleet: Option<&FleetReport>, chosen: &str) -> Vec<Problem> {
    let mut kept: Vec<Problem> = Vec::new();
    let mut targets: Vec<Vec<String>> = Vec::new();
    let mut known: BTreeMap<Said, usize> = BTreeMap::new();
    for problem in problems {
        let place = problem.place.as_ref().map(ToString::to_string);
        let group = advised_group(&problem).map(str::to_owned);
        let said = Said { code: problem.code, what: problem.what.clone(), place, group };
        match (known.get(&said), &problem.target) {
            (Some(at), Some(target)) => targets[*at].push(target.clone()),
            _ => {
                known.insert(said, kept.len());
                targets.push(problem.target.iter().cloned().collect());
                kept.push(problem);
            }
        }
    }
    for (problem, targets) in kept.iter_mut().zip(targets) {
        let [first, rest @ ..] = targets.as_slice() else { continue };
        let of = worked_on(advised_group(problem), fleet);
        advise_for_all(problem, Told { targets: &targets, of: &of, chosen });
        if !rest.is_empty() {
            problem.target = Some(together(first, rest));
        }
    }
    kept
}

/// The targets of a group that a command worked on.
fn worked_on(group: Option<&str>, fleet: Option<&FleetReport>) -> Vec<String> {
    let all = fleet.into_iter().flat_map(|fleet| &fleet.targets);
    let of_group = all.filter(|one| group == Some(shell_word(&one.group).as_str()));
    of_group.map(|one| one.target.clone()).collect()
}

/// `a, b, c and 3 more (6 targets)`
fn together(first: &str, rest: &[String]) -> String {
    let others: Vec<_> = rest.iter().take(NAMED_MAX).map(|t| clean_line(t)).collect();
    let more = match rest.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {} more", grouped(more)),
    };
    let count = counted(rest.len() + 1, "target");
    format!("{first}, {}{more} ({count})", others.join(", "))
}
