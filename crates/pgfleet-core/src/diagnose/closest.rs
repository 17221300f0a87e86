//! The name that was probably meant.

/// The candidate nearest to `name`; see [`close_names`].
pub fn closest_name<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    close_names(name, candidates).into_iter().next()
}

/// The candidates near to `name`, nearest first: the same but for case and underscores, a plural,
/// or a few letters away (a third of the name's length at most).
pub(super) fn close_names<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let wanted = folded(name);
    let limit = (wanted.chars().count() / 3).max(1);
    let near = candidates.into_iter().filter(|candidate| *candidate != name);
    let rated = near.map(|candidate| (distance(&wanted, &folded(candidate)), candidate));
    let mut close: Vec<_> = rated.filter(|(distance, _)| *distance <= limit).collect();
    close.sort_unstable();
    close.into_iter().map(|(_, candidate)| candidate).collect()
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| *c != '_' && *c != '-').flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(x != y);
            let mut best = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *y && b[j - 1] == *x {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["users", "user_roles", "orders", "Invoices"];
        for (name, close) in [
            ("user", Some("users")),
            ("usres", Some("users")),
            ("invoices", Some("Invoices")),
            ("userRoles", Some("user_roles")),
            ("products", None),
            ("", None),
        ] {
            assert_eq!(closest_name(name, names), close, "{name}");
        }
    }
}
