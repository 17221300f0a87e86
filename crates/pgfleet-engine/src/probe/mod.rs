//! HTTP probes: asks a service, tries again while it is not ready, and says what is wrong.
//!
//! Invariants: redirects are answers and are not followed; values that come from environment
//! variables through headers, body or URL never appear in an outcome.

mod attempt;
mod request;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pgfleet_core::verify::{Http, ProbeOutcome};

use request::Prepared;

/// How long one request may take when the declaration does not say.
const DEFAULT_TIMEOUT_MS: u64 = 10_000;

/// The first and the longest pause between attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// Asks until the answer is the expected one or the declared deadline has passed; gives what came
/// of the last attempt. `variables` serve `env:NAME` and `${NAME}`.
pub async fn probe(http: &Http, variables: &BTreeMap<String, String>) -> ProbeOutcome {
    let prepared = match Prepared::new(http, variables) {
        Ok(prepared) => prepared,
        Err(wrong) => {
            return ProbeOutcome { found: "not asked".to_owned(), deviations: vec![wrong] };
        }
    };
    let began = Instant::now();
    let deadline = Duration::from_millis(http.retry_for_ms.unwrap_or(0));
    let mut pause = PAUSES.0;
    let mut attempts = 1;
    loop {
        let mut outcome = attempt(&prepared, http).await;
        let over = began.elapsed() + pause >= deadline;
        if outcome.deviations.is_empty() || over {
            if attempts > 1 && !outcome.deviations.is_empty() {
                let seconds = began.elapsed().as_secs_f64();
                outcome.deviations.push(format!("{attempts} attempts in {seconds:.1} s"));
            }
            return outcome;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
        attempts += 1;
    }
}

async fn attempt(prepared: &Prepared, http: &Http) -> ProbeOutcome {
    let (prepared, http) = (prepared.clone(), http.clone());
    let task = tokio::task::spawn_blocking(move || attempt::attempt(&prepared, &http));
    task.await.unwrap_or_else(|error| ProbeOutcome {
        found: "no answer".to_owned(),
        deviations: vec![format!("the probe broke off: {error}")],
    })
}

#[cfg(test)]
mod tests;
