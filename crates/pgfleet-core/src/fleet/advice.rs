//! Makes advice for one database hold for a target of a group.

use crate::diagnose::{Fix, Problem};

/// Commands that work on the targets of a group.
const OF_TARGETS: [&str; 13] = [
    "status", "plan", "apply", "verify", "rollback", "baseline", "resolve", "drift", "missing",
    "inspect", "audit", "clean", "backup",
];

/// Between commands of which each needs the one before.
const AND: &str = " && ";

/// What a scratch copy is called: this, and its target's name.
pub const COPY_OF: &str = "scratch copy of ";

/// Targets that a command names one by one.
const NAMED_MAX: usize = 4;

/// Names the group, and the target by `--only`, in the commands that a problem advises. What was seen on a
/// scratch copy is the target's.
pub fn advise_in_group(problem: &mut Problem, group: &str) {
    if let Some(original) = problem.target.as_ref().and_then(|name| name.strip_prefix(COPY_OF)) {
        problem.details.push("seen on a scratch copy".to_owned());
        problem.target = Some(original.to_owned());
    }
    let Some(target) = problem.target.clone() else { return };
    let resume = format!("pgfleet rollout resume --group {}", shell_word(group));
    let suffix = format!(" --group {}{}", shell_word(group), only(&target));
    for fix in &mut problem.fixes {
        let Fix { command: Some(command), .. } = fix else { continue };
        if let Some(consent) = command.strip_prefix("pgfleet rollout --") {
            *command = format!("{resume} --{consent}");
        }
        let with_target = |command: &str| match is_of_target(command) {
            true => format!("{command}{suffix}"),
            false => command.to_owned(),
        };
        *command = command.split(AND).map(with_target).collect::<Vec<_>>().join(AND);
    }
}

/// Whether a command works on a target and does not say on which.
fn is_of_target(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let ours = words.next() == Some("pgfleet");
    let of_target = words.next().is_some_and(|word| OF_TARGETS.contains(&word));
    let names_place = words.any(|word| matches!(word, "--group" | "--url" | "--target" | "--out"));
    ours && of_target && !names_place
}

/// Those that a problem was told of, among those that a command worked on.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The targets that have the problem.
    pub targets: &'a [String],
    /// All targets of their group that the command worked on.
    pub of: &'a [String],
    /// The flags that chose these among the group's, as [`chosen_by`] writes them.
    pub chosen: &'a str,
}

/// The group that the advice of [`advise_in_group`] names, as a shell takes it.
pub fn advised_group(problem: &Problem) -> Option<&str> {
    let one = only(problem.target.as_ref()?);
    problem.fixes.iter().find_map(|fix| {
        let (_, group) = fix.command.as_ref()?.strip_suffix(&one)?.rsplit_once(" --group ")?;
        Some(group)
    })
}

/// The same advice for all of several targets that a problem was told of once. Few of them are named
/// one by one, or left out one by one; all are what the user chose; of many, the first are named.
pub fn advise_for_all(problem: &mut Problem, told: Told<'_>) {
    let Some(first) = told.targets.first() else { return };
    let (one, (all, more)) = (only(first), flags(told));
    for fix in &mut problem.fixes {
        let Some(command) = &mut fix.command else { continue };
        let for_all = |command: &str| match command.strip_suffix(&one) {
            Some(before) if before.contains(" --group ") => format!("{before}{all}"),
            _ => command.to_owned(),
        };
        let told = command.split(AND).map(for_all).collect::<Vec<_>>().join(AND);
        if told != *command && more > 0 {
            fix.text = format!("{} Likewise for {more} more.", fix.text);
        }
        *command = told;
    }
}

/// The flags that choose these targets, and how many they leave out.
fn flags(told: Told<'_>) -> (String, usize) {
    let Told { targets, of, chosen } = told;
    let named = |targets: &[String]| targets.iter().map(|target| only(target)).collect::<String>();
    let others: Vec<_> = of.iter().filter(|other| !targets.contains(other)).collect();
    match (targets.len(), others.len()) {
        (_, 0) if !of.is_empty() => (chosen.to_owned(), 0),
        (0..=NAMED_MAX, _) => (named(targets), 0),
        (_, 1..=NAMED_MAX) => {
            let left_out = others.into_iter().map(|other| flag("except", other));
            (format!("{chosen}{}", left_out.collect::<String>()), 0)
        }
        (all, _) => (named(&targets[..NAMED_MAX]), all - NAMED_MAX),
    }
}

/// Flags that choose among a group's targets, as a shell takes them, a space before each.
pub fn chosen_by(only: &[String], except: &[String], labels: &[String]) -> String {
    let all = [("only", only), ("except", except), ("label", labels)];
    let words = all.into_iter().flat_map(|(name, words)| words.iter().map(move |w| flag(name, w)));
    words.collect()
}

fn only(target: &str) -> String {
    flag("only", target)
}

fn flag(name: &str, word: &str) -> String {
    // A word that begins as a flag would be taken for one.
    let between = if word.starts_with('-') { '=' } else { ' ' };
    format!(" --{name}{between}{}", shell_word(word))
}

/// A word as a shell takes it.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@/".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Code;

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn numbered(numbers: std::ops::Range<usize>) -> Vec<String> {
        numbers.map(|number| format!("t{number}")).collect()
    }

    #[test]
    fn advice_names_the_group_and_the_target() {
        let mut problem = Problem::error(Code::ObjectExists, "x")
            .in_target("a c")
            .fix_with("record it", "pgfleet resolve --applied 0001")
            .fix_with("or", "pgfleet baseline")
            .fix_with("or", "pgfleet resolve --rolled-back 1 && pgfleet apply")
            .fix_with("or", "pgfleet status --url URL")
            .fix_with("or", "pgfleet rollout --allow-data-loss")
            .fix_with("or", "DROP TABLE x");
        advise_in_group(&mut problem, "tenants");
        assert_eq!(advised_group(&problem), Some("tenants"));
        let targets = texts(&["a c", "b", "-x"]);
        let of = texts(&["a c", "b", "-x", "y"]);
        advise_for_all(&mut problem, Told { targets: &targets, of: &of, chosen: "" });
        let commands: Vec<_> =
            problem.fixes.iter().filter_map(|fix| fix.command.as_deref()).collect();
        assert_eq!(
            commands,
            [
                "pgfleet resolve --applied 0001 --group tenants --only 'a c' --only b --only=-x",
                "pgfleet baseline --group tenants --only 'a c' --only b --only=-x",
                "pgfleet resolve --rolled-back 1 --group tenants --only 'a c' --only b --only=-x && \
                 pgfleet apply --group tenants --only 'a c' --only b --only=-x",
                "pgfleet status --url URL",
                "pgfleet rollout resume --group tenants --allow-data-loss",
                "DROP TABLE x",
            ]
        );
    }

    #[test]
    fn what_a_copy_shows_is_advised_for_its_target() {
        let mut problem = Problem::error(Code::ObjectExists, "x")
            .in_target(format!("{COPY_OF}acme"))
            .fix_with("record it", "pgfleet resolve --applied 0001");
        advise_in_group(&mut problem, "tenants");
        assert_eq!(problem.target.as_deref(), Some("acme"));
        assert_eq!(problem.details, ["seen on a scratch copy"]);
        let command = problem.fixes[0].command.as_deref();
        assert_eq!(command, Some("pgfleet resolve --applied 0001 --group tenants --only acme"));
    }

    /// What is advised to those of `all` targets that have a problem.
    fn advised(targets: std::ops::Range<usize>, all: usize, chosen: &str) -> (String, String) {
        let (targets, of) = (numbered(targets), numbered(0..all));
        let problem = Problem::error(Code::ObjectExists, "x").in_target(&targets[0]);
        let mut problem = problem.fix_with("Do.", "pgfleet apply");
        advise_in_group(&mut problem, "g");
        advise_for_all(&mut problem, Told { targets: &targets, of: &of, chosen });
        let fix = problem.fixes.remove(0);
        (fix.text, fix.command.unwrap_or_default())
    }

    #[test]
    fn many_targets_are_not_named_one_by_one() {
        let chosen = chosen_by(&texts(&["t*"]), &[], &texts(&["e u"]));
        for (targets, all, chosen, text, command) in [
            (0..2, 2, "", "Do.", "pgfleet apply --group g"),
            (0..500, 500, "", "Do.", "pgfleet apply --group g"),
            (0..9, 9, chosen.as_str(), "Do.", "pgfleet apply --group g --only 't*' --label 'e u'"),
            (0..498, 500, "", "Do.", "pgfleet apply --group g --except t498 --except t499"),
            (
                0..300,
                500,
                "",
                "Do. Likewise for 296 more.",
                "pgfleet apply --group g --only t0 --only t1 --only t2 --only t3",
            ),
        ] {
            assert_eq!(advised(targets, all, chosen), (text.to_owned(), command.to_owned()));
        }
    }
}
