//! Questions to a database and what their answers mean.

use super::finding::{AuditCategory, Finding};
use crate::diagnose::Severity;

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Every row that was counted is wrong.
    Rows,
    /// Rows that break what a name suggests: wrong only when other rows keep to it.
    Suggested,
    /// Rows that refer to nothing, of a reference that was guessed: wrong only when most others
    /// refer to something; when all do, a foreign key is lacking.
    Guess,
}

/// One query, and what its answer says.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is found when rows are counted, without count and samples.
    pub finding: Finding,
    /// Gives one row: how many, some of them as a JSON array of texts, and how many there are in all;
    /// of what a name suggests, how many keep to it.
    pub sql: String,
    /// How the answer is read.
    pub reading: Reading,
}

/// What a database answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Rows that satisfy the rule's condition.
    pub count: u64,
    /// Keys of some of them.
    pub samples: Vec<String>,
    /// Rows that could have; of what a name suggests, rows that keep to it.
    pub of: u64,
}

impl Question {
    /// Counts the rows of a query whose column `k` names them.
    pub fn counting(finding: Finding, rows: &str) -> Self {
        Self { sql: counting_sql(rows, "0"), finding, reading: Reading::Rows }
    }
}

/// One row: count, samples, total.
pub(super) fn counting_sql(rows: &str, total: &str) -> String {
    format!(
        "SELECT pg_catalog.count(*)::text, coalesce(pg_catalog.json_agg(k) FILTER (WHERE n <= 5), '[]')::text, \
         ({total})::text FROM (SELECT h.k, pg_catalog.row_number() OVER () AS n FROM ({rows}) h) numbered"
    )
}

/// What an answer says, if anything.
pub fn judge_answer(question: &Question, answer: Answer) -> Option<Finding> {
    let mut finding = question.finding.clone();
    match question.reading {
        Reading::Rows if answer.count == 0 => return None,
        Reading::Rows => {}
        Reading::Suggested if answer.count == 0 || answer.of == 0 => return None,
        Reading::Suggested => {}
        Reading::Guess => {
            let fitting = answer.of.saturating_sub(answer.count);
            if fitting == 0 || fitting < answer.count {
                return None;
            }
            if answer.count == 0 {
                "foreign-key-missing".clone_into(&mut finding.rule);
                finding.category = AuditCategory::Schema;
                finding.severity = Severity::Note;
                finding.what = finding.what.replace(GUESS, "rows all refer to");
                finding.what.push_str(", and no foreign key keeps it so");
                finding.count = Some(answer.of);
                return Some(finding);
            }
        }
    }
    finding.count = Some(answer.count);
    finding.samples = answer.samples;
    Some(finding)
}

/// How a guess begins its sentence.
pub(super) const GUESS: &str = "rows without counterpart; every other row refers to";

/// A rule that could not be asked, as a finding.
pub fn not_answered(question: &Question, reason: &str) -> Finding {
    Finding {
        category: AuditCategory::NotAsked,
        severity: Severity::Warning,
        what: format!("the rule could not be asked: {reason}"),
        recommendation: "Read why, and ask it by hand or give it more time (--timeout-ms).".into(),
        sql: Some(question.sql.clone()),
        ..question.finding.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_suggests_must_be_true_of_some_rows() {
        let question = Question { reading: Reading::Suggested, ..guess() };
        assert_eq!(judge_answer(&question, answer(10, 0)), None, "the name means something else");
        assert_eq!(judge_answer(&question, answer(0, 10)), None);
        assert_eq!(judge_answer(&question, answer(3, 7)).and_then(|found| found.count), Some(3));
    }

    fn guess() -> Question {
        Question {
            finding: Finding {
                rule: "orphan-likely".into(),
                category: AuditCategory::References,
                severity: Severity::Warning,
                object: "a.b_id".into(),
                what: format!("{GUESS} b"),
                count: None,
                samples: Vec::new(),
                recommendation: String::new(),
                sql: None,
            },
            sql: String::new(),
            reading: Reading::Guess,
        }
    }

    fn answer(count: u64, of: u64) -> Answer {
        Answer { count, of, samples: Vec::new() }
    }

    #[test]
    fn a_guess_counts_only_when_most_rows_fit() {
        assert_eq!(judge_answer(&guess(), answer(0, 0)), None, "no rows say nothing");
        assert_eq!(judge_answer(&guess(), answer(10, 10)), None, "none fits: no reference");
        assert_eq!(judge_answer(&guess(), answer(8, 10)), None);
        let orphans = judge_answer(&guess(), answer(2, 10)).unwrap();
        assert_eq!((orphans.rule.as_str(), orphans.count), ("orphan-likely", Some(2)));
        let all = judge_answer(&guess(), answer(0, 10)).unwrap();
        assert_eq!(all.rule, "foreign-key-missing");
        assert_eq!(all.what, "rows all refer to b, and no foreign key keeps it so");
    }
}
