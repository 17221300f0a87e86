//! Names for what is made: within PostgreSQL's 63 bytes, and free.

use super::lookup::Lookup;

const NAME_MAX_BYTES: usize = 63;

/// `a_b_suffix`, its first part cut where the whole would be too long.
pub(super) fn joined(first: &str, rest: &str) -> String {
    let room = NAME_MAX_BYTES.saturating_sub(rest.len() + 1);
    let mut end = room.min(first.len());
    while !first.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{rest}", &first[..end])
}

/// A name that no other object of the schema has.
pub(super) fn free(lookup: &Lookup<'_>, namespace: &str, wanted: String) -> String {
    let taken = |name: &str| lookup.is_taken(namespace, name);
    if !taken(&wanted) {
        return wanted;
    }
    let mut numbers = 1..;
    numbers
        .find_map(|n: u32| Some(joined(&wanted, &n.to_string())).filter(|name| !taken(name)))
        .unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_at_characters() {
        assert_eq!(joined("orders", "org_idx"), "orders_org_idx");
        let name = joined(&"é".repeat(40), "org_idx");
        assert!(name.len() <= NAME_MAX_BYTES && name.ends_with("é_org_idx"), "{name}");
    }
}
