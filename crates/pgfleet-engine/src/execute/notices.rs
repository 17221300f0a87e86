//! Reads the server's notices: which migration they belong to, and which say that
//! `IF NOT EXISTS` made a statement do nothing.

use pgfleet_core::plan::SqlStep;
use pgfleet_core::report::Event;

use super::{EventSink, Skipped};
use crate::connect::{DbNotice, Session};

/// SQLSTATEs of "… already exists, skipping": duplicate table (also index, view, sequence),
/// column, object, function, schema.
const SKIPPING: &[&str] = &["42P07", "42701", "42710", "42723", "42P06"];

/// Attributes notices to steps. Notices arrive in order, but those of messages sent ahead may
/// already be there: an "already exists" notice goes to the first step, from the one just
/// finished on, that has such a statement left.
pub(super) struct NoticeReader<'a> {
    session: &'a Session,
    events: &'a dyn EventSink,
    labels: Vec<String>,
    /// Per step, the objects of its `IF NOT EXISTS` statements not yet matched.
    expected: Vec<Vec<String>>,
    skipped: Vec<Skipped>,
}

impl<'a> NoticeReader<'a> {
    pub(super) fn new(session: &'a Session, events: &'a dyn EventSink, steps: &[&SqlStep]) -> Self {
        let objects = |step: &&SqlStep| {
            let statements = step.units.iter().flat_map(|unit| unit.statements());
            statements.filter_map(|statement| statement.if_not_exists.clone()).collect()
        };
        Self {
            session,
            events,
            labels: steps.iter().map(|step| step.label.clone()).collect(),
            expected: steps.iter().map(objects).collect(),
            skipped: Vec::new(),
        }
    }

    pub(super) fn discard(&self) {
        self.session.take_notices();
    }

    /// Takes what has come in while `step` was running.
    pub(super) fn read(&mut self, step: usize) {
        for notice in self.session.take_notices() {
            self.take(step, &notice);
        }
    }

    pub(super) fn into_skipped(self) -> Vec<Skipped> {
        self.skipped
    }

    fn take(&mut self, step: usize, notice: &DbNotice) {
        let skips = SKIPPING.contains(&notice.sqlstate.as_str());
        if let Some(skipped) = skips.then(|| self.match_skipped(step, &notice.message)).flatten() {
            self.skipped.push(skipped);
            return;
        }
        self.events.send(Event::Notice {
            migration: self.labels.get(step).cloned(),
            severity: notice.severity.clone(),
            message: notice.message.clone(),
        });
    }

    fn match_skipped(&mut self, from: usize, message: &str) -> Option<Skipped> {
        for (step, expected) in self.expected.iter_mut().enumerate().skip(from) {
            let found =
                expected.iter().position(|object| message.contains(&format!("\"{object}\"")));
            if let Some(at) = found {
                return Some(Skipped { step, object: expected.remove(at) });
            }
        }
        None
    }
}
