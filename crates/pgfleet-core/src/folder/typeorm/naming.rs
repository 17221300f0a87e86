//! TypeORM's names: of migrations, and of what it creates. Source: `DefaultNamingStrategy.js` and
//! `MigrationExecutor.js` of the npm package typeorm.

use sha1::{Digest, Sha1};

use super::super::reading::hex;

/// Digits of the timestamp at the end of a migration's class name.
const TIMESTAMP_DIGITS: usize = 13;

/// `(version, name)` of a class: `CreateUsers1700000000000` is `1700000000000-CreateUsers`, as its
/// file is named. The version holds the name because TypeORM compares names only.
pub fn version_of_class(class: &str) -> Option<(String, String)> {
    let at = class.len().checked_sub(TIMESTAMP_DIGITS)?;
    let (name, timestamp) = class.split_at_checked(at)?;
    let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| (format!("{timestamp}-{name}"), name.to_owned()))
}

/// The name that TypeORM gives to a constraint or index: a prefix and as much of the SHA-1 of table
/// and sorted columns as makes 30 characters.
pub fn constraint_name(prefix: &str, table: &str, columns: &[&str]) -> String {
    let mut sorted = columns.to_vec();
    sorted.sort_unstable();
    hashed(prefix, &format!("{}_{}", table_key(table), sorted.join("_")))
}

/// The table's part of a key: its name without the schema.
fn table_key(table: &str) -> String {
    table.rsplit('.').next().unwrap_or(table).to_owned()
}

/// A prefix and the SHA-1 of a key, cut to 30 characters (`PK_` 27 digits, `IDX_` 26).
pub(super) fn hashed(prefix: &str, key: &str) -> String {
    let digest = hex(&Sha1::digest(key.as_bytes()));
    format!("{prefix}{}", &digest[..30 - prefix.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What typeorm 1.1.1 from npm names them.
    #[test]
    fn names_are_those_of_typeorm() {
        for (prefix, table, columns, name) in [
            ("PK_", "users", &["id"][..], "PK_a3ffb1c0c8416b9fc6f907b7433"),
            ("PK_", "migrations", &["id"], "PK_8c82d7f526340ab734260ea46be"),
            ("UQ_", "users", &["email"], "UQ_97672ac88f789774dd47f7c8be3"),
            ("UQ_", "app.posts", &["userId", "id"], "UQ_20351329651c7e841d8ca171125"),
            ("FK_", "app.posts", &["userId"], "FK_ae05faaa55c866130abef6e1fee"),
            ("IDX_", "users", &["email", "createdAt"], "IDX_9cc58be4b0e4126c1e927b9a52"),
        ] {
            assert_eq!(constraint_name(prefix, table, columns), name);
        }
        let check = hashed("CHK_", "users_\"score\" > 0");
        assert_eq!(check, "CHK_e0d841551feaab7fe44fe7b664");
    }

    #[test]
    fn versions_hold_time_and_name() {
        let version = version_of_class("CreateUsers1700000000000");
        assert_eq!(version, Some(("1700000000000-CreateUsers".into(), "CreateUsers".into())));
        for class in ["CreateUsers", "A170000000000", "é1700000000000x", ""] {
            assert_eq!(version_of_class(class), None, "{class}");
        }
    }
}
