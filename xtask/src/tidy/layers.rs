//! The pure crates do no IO: no runtime, no files, no network, no processes, no environment, no
//! clock.

use super::{Finding, Source};

const PURE: [&str; 2] = ["crates/pgfleet-sql/src/", "crates/pgfleet-core/src/"];

const EFFECTS: [&str; 9] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    if source.only_tests || !PURE.iter().any(|folder| source.file.starts_with(folder)) {
        return Vec::new();
    }
    let broken = source.numbered().filter_map(|(number, line)| {
        let code = line.split("//").next().unwrap_or(line);
        let effect = EFFECTS.iter().find(|effect| code.contains(**effect))?;
        Some(source.finding(number, format!("{effect} in a crate that does no IO")))
    });
    broken.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_found_in_pure_crates_alone() {
        let text = "use std::fs::File;\n// std::env is not used\n";
        let pure = Source::parse("crates/pgfleet-core/src/a.rs", text);
        assert_eq!(check(&pure).len(), 1);
        assert_eq!(check(&Source::parse("crates/pgfleet-engine/src/a.rs", text)), []);
    }
}
