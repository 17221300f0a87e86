//! Asks a target's rows what findings depend on.
//!
//! Invariant: the session can write nothing and waits for nothing long; a question that is not
//! answered stays as a note.

use pgfleet_core::lint::{Finding, LintReport};

use crate::connect::{Session, SessionError};

/// Questions beyond this many are not asked.
const QUESTIONS_MAX: usize = 100;

/// What a session that asks may do.
const CAUTION: &str = "SET default_transaction_read_only = on; SET statement_timeout = 10000; \
                       SET lock_timeout = 2000";

pub(super) async fn answer(session: &Session, mut report: LintReport) -> LintReport {
    let asks = |finding: &Finding| finding.question.is_some();
    if !report.findings.iter().any(asks) {
        return report;
    }
    let careful = session.batch(CAUTION).await.is_ok();
    let mut asked = 0;
    let mut kept = Vec::with_capacity(report.findings.len());
    for finding in report.findings {
        let Some(question) = finding.question.clone() else {
            kept.push(finding);
            continue;
        };
        asked += 1;
        let answer = match careful && asked <= QUESTIONS_MAX {
            true => ask(session, &question.sql).await,
            false => Err("there are too many questions".to_owned()),
        };
        match answer {
            Ok(rows) => kept.extend(finding.answered(rows)),
            Err(why) => kept.push(finding.unanswered(&why)),
        }
    }
    report.findings = kept;
    report
}

async fn ask(session: &Session, sql: &str) -> Result<u64, String> {
    let rows = session.query_text(sql).await.map_err(|error| match error {
        SessionError::Server(error) => error.message.clone(),
        lost => lost.to_string(),
    })?;
    let cell = rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten();
    cell.and_then(|text| text.parse().ok()).ok_or_else(|| "there is no answer".to_owned())
}
