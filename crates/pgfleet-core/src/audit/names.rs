//! What names of tables and columns say about what is in them.

/// `createdAt`, `created_at` and `CreatedAt` as lower-case words joined by `_`.
pub(super) fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for c in name.chars() {
        let c = if matches!(c, '-' | ' ' | '.') { '_' } else { c };
        if c.is_uppercase() && !before.is_uppercase() && before != '_' {
            text.push('_');
        }
        text.extend(c.to_lowercase());
        before = c;
    }
    text
}

/// True when the name, or its last words, is one of the words.
pub(super) fn ends_as(name: &str, words: &[&str]) -> bool {
    let name = snake(name);
    words.iter().any(|word| {
        name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
    })
}

/// True when one of the name's words, plural or not, is one of the words.
pub(super) fn has_word(name: &str, words: &[&str]) -> bool {
    let name = snake(name);
    let mut parts = name.split('_').map(singular);
    parts.any(|part| words.contains(&part.as_str()))
}

/// True when a column called `code` tells rows of its table apart: `code`, and `client_code` in
/// `clients`. Codes of other things (`postal_code`, `country_code`) are shared by many rows.
pub(super) fn is_own_code(column: &str, table: &str) -> bool {
    let column = snake(column);
    column == "code" || column == format!("{}_code", singular(&snake(table)))
}

/// True when a `state` is a part of an address, because a city or a country stands beside it.
pub(super) fn is_state_of_address<'a>(
    column: &str,
    columns: impl IntoIterator<Item = &'a str>,
) -> bool {
    let places = ["city", "country", "town", "ville", "pays", "zip", "zip_code", "postal_code"];
    ends_as(column, &["state"]) && columns.into_iter().any(|beside| ends_as(beside, &places))
}

/// What a column that ends with `_id` refers to: `user` for `user_id`, `userId` and `id_user`.
pub(super) fn referred(column: &str) -> Option<String> {
    let name = snake(column);
    let of = name.strip_suffix("_id").or_else(|| name.strip_prefix("id_"))?;
    (!of.is_empty()).then(|| singular(of))
}

/// English plurals, and French ones that end with s.
pub(super) fn singular(word: &str) -> String {
    for (ending, instead) in [("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch")] {
        if let Some(stem) = word.strip_suffix(ending) {
            return format!("{stem}{instead}");
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && stem.len() > 1 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_spelling() {
        for name in ["created_at", "createdAt", "CreatedAt", "created-at"] {
            assert_eq!(snake(name), "created_at");
        }
        assert_eq!(snake("userID"), "user_id");
        for (column, of) in
            [("user_id", "user"), ("companyId", "company"), ("id_societes", "societe")]
        {
            assert_eq!(referred(column).as_deref(), Some(of));
        }
        assert_eq!(referred("id"), None);
        for (plural, one) in
            [("companies", "company"), ("boxes", "box"), ("classes", "class"), ("status", "status")]
        {
            assert_eq!(singular(plural), one);
        }
        assert!(ends_as("unitPrice", &["price"]) && !ends_as("caprice", &["price"]));
        assert!(has_word("refresh_tokens", &["token"]));
    }

    #[test]
    fn parts_of_addresses_are_not_taken_for_what_describes_a_row() {
        assert!(is_own_code("code", "clients") && is_own_code("clientCode", "clients"));
        assert!(!is_own_code("postal_code", "clients") && !is_own_code("country_code", "clients"));
        assert!(is_state_of_address("billing_state", ["id", "billing_city"]));
        assert!(!is_state_of_address("state", ["id", "name"]));
        assert!(!is_state_of_address("status", ["city"]));
    }
}
