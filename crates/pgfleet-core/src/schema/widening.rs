//! Which types hold every value of another, and which changes of type leave the rows as they are.

use crate::preflight::spelled;

/// True when every value of the old type is a value of the new one.
pub(crate) fn keeps_values(old: &str, new: &str) -> bool {
    const WIDER: &[(&str, &[&str])] = &[
        ("int2", &["int4", "int8", "numeric", "float4", "float8"]),
        ("int4", &["int8", "numeric", "float8"]),
        ("int8", &["numeric"]),
        ("float4", &["float8"]),
        ("date", &["timestamp"]),
    ];
    let (old, new) = (spelled(old), spelled(new));
    let wider = WIDER.iter().find(|(from, _)| *from == old).map_or(&[][..], |(_, to)| *to);
    new == "text" || wider.contains(&new.as_str()) || keeps_rows(&old, &new)
}

/// Changes between types that PostgreSQL makes in the catalog alone ("ALTER TABLE",
/// Notes, in its documentation; the length coercions' support functions in
/// src/backend/utils/adt/varchar.c, numeric.c, varbit.c, timestamp.c).
pub(crate) fn keeps_rows(old: &str, new: &str) -> bool {
    let (old, new) = (&spelled(old), &spelled(new));
    if old.contains('[') || new.contains('[') {
        return false;
    }
    let ((old_base, old_args), (new_base, new_args)) = (parts(old), parts(new));
    match (old_base, new_base) {
        ("varchar" | "text", "text") => true,
        ("varchar" | "text", "varchar") => {
            new_args.is_empty() || old_base == "varchar" && not_narrower(&old_args, &new_args)
        }
        ("varbit", "varbit") => new_args.is_empty() || not_narrower(&old_args, &new_args),
        ("numeric", "numeric") => new_args.is_empty() || wider_numeric(&old_args, &new_args),
        ("timestamp", "timestamp")
        | ("timestamptz", "timestamptz")
        | ("time", "time")
        | ("timetz", "timetz") => new_args.is_empty() || not_narrower(&old_args, &new_args),
        ("cidr", "inet") => true,
        _ => false,
    }
}

fn parts(spelled: &str) -> (&str, Vec<u32>) {
    let (base, rest) = spelled.split_at(spelled.find('(').unwrap_or(spelled.len()));
    let numbers = rest.trim_matches(['(', ')']).split(',');
    (base, numbers.filter_map(|number| number.trim().parse().ok()).collect())
}

fn not_narrower(old: &[u32], new: &[u32]) -> bool {
    old.first().zip(new.first()).is_some_and(|(old, new)| new >= old)
}

/// The scale must stay: another one changes the stored digits.
fn wider_numeric(old: &[u32], new: &[u32]) -> bool {
    let scale = |args: &[u32]| args.get(1).copied().unwrap_or(0);
    not_narrower(old, new) && scale(old) == scale(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_in_the_catalog_keep_the_rows() {
        for (old, new, kept) in [
            ("varchar(10)", "varchar(20)", true),
            ("varchar(20)", "varchar(10)", false),
            ("varchar(20)", "text", true),
            ("text", "varchar", true),
            ("text", "varchar(9)", false),
            ("numeric(8,2)", "numeric(10,2)", true),
            ("numeric(8,2)", "numeric(10,3)", false),
            ("numeric(8,2)", "numeric", true),
            ("int4", "int8", false),
            ("timestamp(3)", "timestamp", true),
            ("timestamp", "timestamptz", false),
            ("char(2)", "text", false),
            ("character(5)", "character(6)", false),
            ("varchar(5)[]", "varchar(3)[]", false),
            ("timestamp(3) without time zone", "timestamp(6) without time zone", true),
            ("character varying", "character varying(20)", false),
        ] {
            assert_eq!(keeps_rows(old, new), kept, "{old} to {new}");
        }
    }

    #[test]
    fn only_a_wider_type_keeps_every_value() {
        for (old, new, lossless) in [
            ("integer", "BIGINT", true),
            ("bigint", "int", false),
            ("integer", "real", false),
            ("bigint", "double precision", false),
            ("integer", "numeric", true),
            ("integer", "numeric(9, 2)", false),
            ("character varying(64)", "varchar(128)", true),
            ("character varying(64)", "character varying(63)", false),
            ("character varying[]", "varchar(3)[]", false),
            ("timestamp without time zone", "timestamptz", false),
            ("timestamp with time zone", "timestamptz(3)", false),
            ("text", "varchar(255)", false),
            ("json", "jsonb", false),
            ("inet", "text", true),
            ("text", "integer", false),
        ] {
            assert_eq!(keeps_values(old, new), lossless, "{old} to {new}");
        }
    }
}
