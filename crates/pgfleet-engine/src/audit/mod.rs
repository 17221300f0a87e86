//! Asks a database what is wrong with its rows.
//!
//! Invariant: every question is asked in one read-only snapshot and with a time limit of its own;
//! one that fails is a finding and stops no other.

use futures_util::future::try_join_all;
use pgfleet_core::audit::{
    Answer, AuditReport, Catalog, Finding, Question, judge_answer, lint, not_answered, questions,
};
use pgfleet_core::diagnose::{Code, Problem};

use crate::backup::Snapshot;
use crate::catalog::begin_in;
use crate::conduct::Target;
use crate::connect::Session;
use crate::queue::Queue;

/// How an audit is made.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// Questions of the team's own.
    pub declared: Vec<Question>,
    /// Whether a rule is wanted for an object.
    pub wanted: Wanted,
    /// How long one question may take.
    pub timeout_ms: u64,
    /// Connections that ask.
    pub jobs: usize,
}

/// Which rules are asked of which objects.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only these, when there are any.
    pub only: Vec<String>,
    /// Not these; with tables, not for them.
    pub skip: Vec<(String, Vec<String>)>,
}

impl Wanted {
    fn keeps(&self, finding: &Finding) -> bool {
        let skipped = |(rule, tables): &(String, Vec<String>)| {
            *rule == finding.rule
                && (tables.is_empty() || tables.iter().any(|table| is_of(&finding.object, table)))
        };
        (self.only.is_empty() || self.only.contains(&finding.rule))
            && !self.skip.iter().any(skipped)
    }
}

/// `public.users.email` is of `users` and of `public.users`.
fn is_of(object: &str, table: &str) -> bool {
    let object = format!(".{object}.");
    object.contains(&format!(".{table}."))
}

/// Reads what rules need to know of tables.
///
/// # Errors
/// When the server refuses or the connection is lost.
pub async fn read_catalog(target: &Target, session: &Session) -> Result<Catalog, Box<Problem>> {
    let rows = session.query_text(include_str!("catalog.sql")).await;
    let rows = rows.map_err(|error| target.session_problem(&error))?;
    let text = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| {
        let what = "the server's answer about its tables cannot be read";
        let problem = Problem::error(Code::Bug, what).in_target(&target.name);
        Box::new(problem.because(error.to_string()))
    })
}

/// Makes an audit of a target.
///
/// # Errors
/// When the target cannot be reached or its catalog not be read.
pub async fn audit(target: &Target, options: &AuditOptions) -> Result<AuditReport, Box<Problem>> {
    let snapshot = Snapshot::take(target).await?;
    let catalog = read_catalog(target, snapshot.session()).await?;
    let mut asked = questions(&catalog);
    // A guess that every row fits is a finding of another rule, so it is judged before it is left out.
    asked.retain(|question| is_wanted(question, options));
    asked.extend(options.declared.iter().cloned());
    let answered = ask_all(target, &snapshot.id, &asked, options).await?;
    snapshot.close().await;
    let mut findings = lint(&catalog);
    findings.extend(answered);
    findings.retain(|finding| options.wanted.keeps(finding));
    let mut report = AuditReport {
        target: target.name.clone(),
        server: target.spec.redacted(),
        looked_at: jiff::Timestamp::now().to_string(),
        tables: catalog.tables.len(),
        questions: asked.len(),
        findings,
    };
    report.sort();
    Ok(report)
}

fn is_wanted(question: &Question, options: &AuditOptions) -> bool {
    let as_key = Finding { rule: "foreign-key-missing".into(), ..question.finding.clone() };
    let guess = question.finding.rule == "orphan-likely";
    options.wanted.keeps(&question.finding) || guess && options.wanted.keeps(&as_key)
}

async fn ask_all(
    target: &Target,
    snapshot: &str,
    questions: &[Question],
    options: &AuditOptions,
) -> Result<Vec<Finding>, Box<Problem>> {
    let queue = questions.iter().collect();
    let workers = options.jobs.clamp(1, questions.len().max(1));
    let work = (0..workers).map(|_| ask_some(target, snapshot, &queue, options));
    Ok(try_join_all(work).await?.into_iter().flatten().collect())
}

async fn ask_some(
    target: &Target,
    snapshot: &str,
    queue: &Queue<&Question>,
    options: &AuditOptions,
) -> Result<Vec<Finding>, Box<Problem>> {
    let session = target.connect().await?;
    let begin = format!(
        "{} SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = {}; \
         SAVEPOINT question",
        begin_in(Some(snapshot)),
        options.timeout_ms
    );
    session.batch(&begin).await.map_err(|error| target.session_problem(&error))?;
    let mut findings = Vec::new();
    while let Some(question) = queue.take() {
        match session.query_text(&question.sql).await {
            Ok(rows) => findings.extend(judge_answer(question, read_answer(rows))),
            Err(error) if error.is_lost() => return Err(target.session_problem(&error)),
            Err(error) => {
                findings.push(not_answered(question, &error.to_string()));
                let back = session.batch("ROLLBACK TO SAVEPOINT question").await;
                back.map_err(|error| target.session_problem(&error))?;
            }
        }
    }
    session.close().await;
    Ok(findings)
}

fn read_answer(rows: Vec<Vec<Option<String>>>) -> Answer {
    let mut cells = rows.into_iter().next().unwrap_or_default().into_iter();
    let mut next = || cells.next().flatten().unwrap_or_default();
    let (count, samples, of) = (next(), next(), next());
    let samples: Vec<Option<String>> = serde_json::from_str(&samples).unwrap_or_default();
    Answer {
        count: count.parse().unwrap_or(0),
        samples: samples.into_iter().map(|key| key.unwrap_or_else(|| "NULL".to_owned())).collect(),
        of: of.parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_by_their_names() {
        assert!(is_of("public.users.email", "users") && is_of("public.users", "public.users"));
        assert!(!is_of("public.users.email", "user") && !is_of("a.b", "b.c"));
    }
}
