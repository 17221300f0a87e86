//! Makes advice for one database hold for a target of a group.

use crate::diagnose::{Fix, Problem};

/// Commands that work on the targets of a group.
const OF_TARGETS: [&str; 13] = [
    "status", "plan", "apply", "verify", "rollback", "baseline", "resolve", "drift", "missing",
    "inspect", "audit", "clean", "backup",
];

/// Names the group, and the target by `--only`, in the commands that a problem advises.
pub fn advise_in_group(problem: &mut Problem, group: &str) {
    let Some(target) = problem.target.clone() else { return };
    let resume = format!("pgfleet rollout resume --group {}", shell_word(group));
    let suffix = format!(" --group {}{}", shell_word(group), only(&target));
    for fix in &mut problem.fixes {
        let Fix { command: Some(command), .. } = fix else { continue };
        if let Some(consent) = command.strip_prefix("pgfleet rollout --") {
            *command = format!("{resume} --{consent}");
        }
        let mut words = command.split_whitespace();
        let ours = words.next() == Some("pgfleet");
        let of_target = words.next().is_some_and(|word| OF_TARGETS.contains(&word));
        let names_place =
            words.any(|word| matches!(word, "--group" | "--url" | "--target" | "--out"));
        if ours && of_target && !names_place {
            command.push_str(&suffix);
        }
    }
}

/// The same advice for all of several targets that a problem was told of once.
pub fn advise_for_all(problem: &mut Problem, targets: &[String]) {
    let [first, rest @ ..] = targets else { return };
    let one = only(first);
    let all: String = std::iter::once(first).chain(rest).map(|target| only(target)).collect();
    for fix in &mut problem.fixes {
        if let Some(command) = &mut fix.command
            && command.contains(" --group ")
            && let Some(before) = command.strip_suffix(&one)
        {
            *command = format!("{before}{all}");
        }
    }
}

fn only(target: &str) -> String {
    // A word that begins as a flag would be taken for one.
    let between = if target.starts_with('-') { '=' } else { ' ' };
    format!(" --only{between}{}", shell_word(target))
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Code;

    #[test]
    fn advice_names_the_group_and_the_target() {
        let mut problem = Problem::error(Code::ObjectExists, "x")
            .in_target("a c")
            .fix_with("record it", "pgfleet resolve --applied 0001")
            .fix_with("or", "pgfleet baseline")
            .fix_with("or", "pgfleet status --url URL")
            .fix_with("or", "pgfleet rollout --allow-data-loss")
            .fix_with("or", "DROP TABLE x");
        advise_in_group(&mut problem, "tenants");
        advise_for_all(&mut problem, &["a c".to_owned(), "b".to_owned(), "-x".to_owned()]);
        let commands: Vec<_> =
            problem.fixes.iter().filter_map(|fix| fix.command.as_deref()).collect();
        assert_eq!(
            commands,
            [
                "pgfleet resolve --applied 0001 --group tenants --only 'a c' --only b --only=-x",
                "pgfleet baseline --group tenants --only 'a c' --only b --only=-x",
                "pgfleet status --url URL",
                "pgfleet rollout resume --group tenants --allow-data-loss",
                "DROP TABLE x",
            ]
        );
    }
}
