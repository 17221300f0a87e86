//! The names that Prisma gives to keys, indexes and foreign keys.
//!
//! Invariant: a name has at most 63 bytes, PostgreSQL's limit. Source: `constraint_names.rs` and
//! `sql_schema_calculator.rs` of prisma/prisma-engines, whose rules for many-to-many tables differ
//! by a character here and there.

/// Bytes of an identifier that PostgreSQL keeps.
const LENGTH_MAX: usize = 63;

pub(super) fn primary_key(table: &str) -> String {
    suffixed(table, "_pkey")
}

pub(super) fn unique(table: &str, columns: &[String]) -> String {
    suffixed(&format!("{table}_{}", columns.join("_")), "_key")
}

pub(super) fn index(table: &str, columns: &[String]) -> String {
    suffixed(&format!("{table}_{}", columns.join("_")), "_idx")
}

pub(super) fn foreign_key(table: &str, columns: &[String]) -> String {
    suffixed(&format!("{table}_{}", columns.join("_")), "_fkey")
}

/// The table of an implicit many-to-many relation.
pub(super) fn relation_table(relation: &str) -> String {
    format!("_{relation}").chars().take(LENGTH_MAX).collect()
}

pub(super) fn relation_table_primary_key(table: &str) -> String {
    let kept: String = table.chars().take(LENGTH_MAX - "_AB_pkey".len()).collect();
    format!("{kept}_AB_pkey")
}

pub(super) fn relation_table_index(table: &str) -> String {
    let kept: String = table.chars().take(LENGTH_MAX - "_B_index".len()).collect();
    format!("{kept}_B_index")
}

/// `side` is `A` or `B`.
pub(super) fn relation_table_foreign_key(table: &str, side: char) -> String {
    let kept = floor(table, LENGTH_MAX - "_A_fkey".len());
    format!("{kept}_{side}_fkey")
}

fn suffixed(base: &str, suffix: &str) -> String {
    format!("{}{suffix}", floor(base, LENGTH_MAX - suffix.len()))
}

/// An identifier as PostgreSQL keeps it: its first 63 bytes, ending between characters.
pub fn kept_name(name: &str) -> &str {
    floor(name, LENGTH_MAX)
}

/// At most `bytes` bytes, ending between characters.
fn floor(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        let table = "é".repeat(40);
        let name = primary_key(&table);
        assert_eq!(name, format!("{}_pkey", "é".repeat(29)));
        assert_eq!(unique("t", &["a".repeat(80)]).len(), 63);
        assert_eq!(index("t", &["a".into(), "b".into()]), "t_a_b_idx");
    }
}
