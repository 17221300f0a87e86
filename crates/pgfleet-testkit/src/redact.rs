//! Output without what differs from run to run, for snapshots.

use regex::Regex;

use crate::{Project, TestDb};

/// What to replace by what, in order.
#[derive(Debug, Clone, Default)]
pub struct Redactions {
    rules: Vec<(Regex, String)>,
}

impl Redactions {
    /// Times of day, durations and UUIDs, and the folder, port and name of a test.
    pub fn of(project: &Project, db: &TestDb) -> Self {
        Self::default()
            .literal(&project.path().to_string_lossy(), "[PROJECT]")
            .literal(&db.cluster().socket_dir().to_string_lossy(), "[SOCKETS]")
            .pattern(&format!(r"\b{}\b", db.name()), "[DB]")
            .pattern(&format!(r"\b{}\b", db.cluster().port()), "[PORT]")
            .common()
    }

    /// Times of day, durations and UUIDs.
    pub fn common(self) -> Self {
        self.pattern(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?",
            "[TIME]",
        )
        .pattern(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "[ID]")
        .pattern(r"\b(\d+ ?m(in)? ?)?\d+(\.\d+)? ?(ns|µs|us|ms|s)\b", "[DURATION]")
        .pattern(r#"("[a-z_]+_(ms|us)": ?)\d+(\.\d+)?"#, "${1}\"[DURATION]\"")
    }

    /// Replaces a text.
    pub fn literal(mut self, text: &str, replacement: &str) -> Self {
        let rule = Regex::new(&regex::escape(text)).expect("an escaped text is a pattern");
        self.rules.push((rule, replacement.replace('$', "$$")));
        self
    }

    /// Replaces what matches a regular expression; `$1` means its first group.
    pub fn pattern(mut self, pattern: &str, replacement: &str) -> Self {
        let rule = Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"));
        self.rules.push((rule, replacement.to_owned()));
        self
    }

    /// The text with everything replaced.
    pub fn apply(&self, text: &str) -> String {
        self.rules.iter().fold(text.to_owned(), |text, (rule, replacement)| {
            rule.replace_all(&text, replacement.as_str()).into_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_durations_and_ids_go_and_the_rest_stays() {
        let text = "applied 3 of 17 at 2024-01-02T03:04:05.678Z in 12.5 ms, 1m 3s; \
                    run 0190c1de-0000-7000-8000-0123456789ab {\"duration_ms\": 12} v1.2 5 steps";
        let expected = "applied 3 of 17 at [TIME] in [DURATION], [DURATION]; \
                        run [ID] {\"duration_ms\": \"[DURATION]\"} v1.2 5 steps";
        assert_eq!(Redactions::default().common().apply(text), expected);
    }
}
