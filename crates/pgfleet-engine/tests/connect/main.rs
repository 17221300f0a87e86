//! Connections: strings, files, failures on real servers, TLS, poolers, probing.

#![allow(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod failures;
mod pooler;
mod probing;
mod session;
mod strings;
mod tls;

use std::collections::BTreeMap;
use std::time::Duration;

use pgfleet_core::diagnose::Problem;
use pgfleet_engine::connect::{ConnectSpec, Session, Surroundings, connect};

/// A user, and nothing else.
fn nowhere() -> Surroundings {
    Surroundings { variables: BTreeMap::new(), user: Some("me".to_owned()), home: None }
}

fn spec(url: &str) -> ConnectSpec {
    ConnectSpec::parse(url, &nowhere()).unwrap_or_else(|problem| panic!("{url}: {problem:?}"))
}

async fn open(url: &str) -> Session {
    try_open(url).await.unwrap_or_else(|problem| panic!("{url}: {problem:?}"))
}

async fn try_open(url: &str) -> Result<Session, Problem> {
    connect(&spec(url), "pgfleet test", Duration::from_secs(10)).await
}

async fn failure(url: &str) -> Problem {
    try_open(url).await.err().unwrap_or_else(|| panic!("{url} must not connect"))
}

/// Everything that a person would read.
fn words(problem: &Problem) -> String {
    serde_json::to_string(problem).expect("a problem is data")
}

/// The URL with another user.
fn as_user(url: &str, user: &str) -> String {
    let (_, rest) = url.split_once("@").expect("the URL has a user");
    format!("postgres://{user}@{rest}")
}
