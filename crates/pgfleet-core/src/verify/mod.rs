//! Checks: declared expectations, the SQL that looks, and the verdict. Data in, data out.

/// One declared expectation.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct Check {}
