//! Targets that are alike, the most first.

use std::collections::BTreeMap;

use serde::Serialize;

/// Targets that have the same to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alike<T> {
    /// What they have in common.
    pub what: T,
    /// Their positions in the fleet, ascending.
    pub targets: Vec<usize>,
}

/// Groups targets by what is said of them: the largest group first, equal ones in the order of
/// their first target.
pub fn alike<T: Ord>(said: impl IntoIterator<Item = (usize, T)>) -> Vec<Alike<T>> {
    let mut groups: BTreeMap<T, Vec<usize>> = BTreeMap::new();
    for (target, what) in said {
        groups.entry(what).or_default().push(target);
    }
    let groups = groups.into_iter().map(|(what, targets)| Alike { what, targets });
    let mut groups: Vec<_> = groups.collect();
    groups.sort_by_key(|group| (usize::MAX - group.targets.len(), group.targets.first().copied()));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_comes_first() {
        let groups = alike([(0, "b"), (1, "a"), (2, "a"), (3, "c")]);
        let sizes: Vec<_> = groups.iter().map(|g| (g.what, g.targets.len())).collect();
        assert_eq!(sizes, [("a", 2), ("b", 1), ("c", 1)]);
    }
}
