//! What the plan found, in the words of the checklist that people read.

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// As it should be.
    Success,
    /// To be looked at; stops nothing.
    Warning,
    /// Would fail or lose something; nothing is moved before it is settled.
    Error,
}

/// One thing that the plan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it weighs.
    pub level: Level,
    /// What it is about: a variable, a database, `family.table.column` …
    pub subject: String,
    /// What was found.
    pub what: String,
    /// How many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Some of them: key and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// What to declare, where it is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declare: Option<Declare>,
}

/// What `split.toml` may say, so that something is no longer found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Declare {
    /// A table of the source stays behind.
    LeftBehind(String),
    /// Values are checked in place of a foreign key.
    Reference {
        /// The side that refers.
        from: String,
        /// The side that is referred to.
        to: String,
    },
}

/// From so many tables on, each stands in a line of its own.
const LINES_MIN: usize = 5;

/// Declarations as they stand in `split.toml`; where that `says_behind` of tables that they stay
/// behind already, further ones are a remark, because TOML knows a section only once.
pub fn declarations<'d>(declared: impl Iterator<Item = &'d Declare>, says_behind: bool) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let (mut tables, mut references) = (Vec::new(), String::new());
    for one in declared {
        match one {
            Declare::LeftBehind(table) => tables.push(quoted(table)),
            Declare::Reference { from, to } => references.push_str(&format!(
                "[[reference]]\nfrom = {}\nto = {}\n",
                quoted(from),
                quoted(to)
            )),
        }
    }
    let behind = match (tables.len(), says_behind) {
        (0, _) => String::new(),
        (_, true) => {
            let lines: String = tables.iter().map(|table| format!("#     {table},\n")).collect();
            format!("# To the tables of [left_behind]:\n{lines}")
        }
        (1..LINES_MIN, false) => format!("[left_behind]\ntables = [{}]\n", tables.join(", ")),
        (_, false) => {
            let lines: String = tables.iter().map(|table| format!("    {table},\n")).collect();
            format!("[left_behind]\ntables = [\n{lines}]\n")
        }
    };
    behind + &references
}

impl Finding {
    /// A finding without rows.
    pub fn new(level: Level, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            level,
            subject: subject.into(),
            what: what.into(),
            rows: None,
            samples: Vec::new(),
            fix: None,
            declare: None,
        }
    }

    /// Something as it should be.
    pub fn success(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Level::Success, subject, what)
    }

    /// Something to be looked at.
    pub fn warning(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Level::Warning, subject, what)
    }

    /// Something that must be settled first.
    pub fn error(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Level::Error, subject, what)
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Says what to declare.
    #[must_use]
    pub fn declare(mut self, declare: Declare) -> Self {
        self.declare = Some(declare);
        self
    }

    /// Says how many rows, and some of them.
    #[must_use]
    pub fn rows(mut self, rows: u64, samples: Vec<String>) -> Self {
        self.rows = Some(rows);
        self.samples = samples;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_can_be_read_back() {
        let reference =
            |from: &str, to: &str| Declare::Reference { from: from.into(), to: to.into() };
        let declared = [
            Declare::LeftBehind("audit_logs".into()),
            reference("shared.skill(\"tenantId\")", "auth.tenant(id)"),
            Declare::LeftBehind("\"Old\"".into()),
            reference("shared.skill(by)", "auth.\"user\"(id)"),
        ];
        let text = declarations(declared.iter(), false);
        let read: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(read["left_behind"]["tables"].as_array().unwrap()[1].as_str(), Some("\"Old\""));
        assert_eq!(read["reference"][0]["from"].as_str(), Some("shared.skill(\"tenantId\")"));
        assert_eq!(read["reference"][1]["to"].as_str(), Some("auth.\"user\"(id)"));
    }

    #[test]
    fn declarations_can_be_appended_to_a_declaration() {
        let tables = (0..9).map(|number| Declare::LeftBehind(format!("t{number}")));
        let reference = Declare::Reference { from: "a.t(x)".into(), to: "b.u(id)".into() };
        let all: Vec<_> = tables.chain([reference]).collect();
        for (before, says_behind, behind) in
            [("", false, 9), ("[left_behind]\ntables = ['old']\n", true, 1)]
        {
            let text = format!("{before}{}", declarations(all.iter(), says_behind));
            let read: toml::Table = toml::from_str(&text).unwrap();
            assert_eq!(read["left_behind"]["tables"].as_array().map(Vec::len), Some(behind));
            assert_eq!(read["reference"].as_array().map(Vec::len), Some(1));
            assert!(text.contains("    \"t8\",\n"), "{text}");
        }
    }
}
