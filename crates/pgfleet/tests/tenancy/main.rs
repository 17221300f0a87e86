//! From one tenant to many: changes in batches, the tenant column, isolation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod batches;
mod corpus;
mod flags;
mod forced;
mod isolation;
mod load;
mod partitioned;
#[path = "../it/stage.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod stage;
mod vechat;
