//! The references between the databases of a split.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::split::ColumnsOf;

use crate::integrity::{ReferenceResult, check_between};

use super::Split;

/// Checks all references that `split.toml` declares.
///
/// # Errors
/// When a database cannot be reached or asked.
pub async fn check_references(split: &Split) -> Result<Vec<ReferenceResult>, Vec<Problem>> {
    let mut results = Vec::new();
    for reference in &split.file.references {
        let (Some(from), Some(to)) =
            (ColumnsOf::parse(&reference.from), ColumnsOf::parse(&reference.to))
        else {
            continue;
        };
        let (Some(child), Some(parent)) =
            (split.family(&from.table.family), split.family(&to.table.family))
        else {
            continue;
        };
        let done = check_between(&child.target, &from, &parent.target, &to).await;
        results.push(done.map_err(|problem| vec![*problem])?);
    }
    Ok(results)
}
