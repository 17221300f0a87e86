//! Type names as people write them, brought to the form that `format_type` gives.
//!
//! Source: PostgreSQL's table of data types and their aliases (documentation, chapter "Data
//! Types").

/// The name in `format_type`'s spelling; a name that is no alias comes back with blanks evened.
pub(super) fn canonical(name: &str) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.contains('"') {
        return name;
    }
    let name = name.to_lowercase().replace(" (", "(").replace(", ", ",");
    let (element, array) = match name.find('[') {
        Some(at) => (&name[..at], "[]"),
        None => (name.as_str(), ""),
    };
    format!("{}{array}", canonical_element(element.trim()))
}

fn canonical_element(name: &str) -> String {
    let (base, modifier) = match name.find('(') {
        Some(at) => (&name[..at], &name[at..]),
        None => (name, ""),
    };
    // The modifier of a time stands in the middle of its name: `timestamp(3) with time zone`.
    let (modifier, tail) = modifier
        .split_once(')')
        .map_or((modifier, ""), |(inside, tail)| (&modifier[..=inside.len()], tail));
    match (base, tail) {
        ("timestamp" | "time", "") => format!("{base}{modifier} without time zone"),
        ("timestamptz", _) => format!("timestamp{modifier} with time zone"),
        ("timetz", _) => format!("time{modifier} with time zone"),
        _ => format!("{}{modifier}{tail}", full_name(base)),
    }
}

fn full_name(alias: &str) -> &str {
    match alias {
        "int" | "int4" | "serial" | "serial4" => "integer",
        "int8" | "bigserial" | "serial8" => "bigint",
        "int2" | "smallserial" | "serial2" => "smallint",
        "bool" => "boolean",
        "varchar" => "character varying",
        "char" => "character",
        "decimal" => "numeric",
        "float" | "float8" => "double precision",
        "float4" => "real",
        "varbit" => "bit varying",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_become_what_format_type_writes() {
        for (written, canonical_name) in [
            ("INT", "integer"),
            ("varchar(255)", "character varying(255)"),
            ("varchar (255) []", "character varying(255)[]"),
            ("timestamptz", "timestamp with time zone"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("timestamp(3)", "timestamp(3) without time zone"),
            ("timestamp with time zone", "timestamp with time zone"),
            ("timestamp(3) with time zone", "timestamp(3) with time zone"),
            ("numeric(10, 2)", "numeric(10,2)"),
            ("text[]", "text[]"),
            ("\"Mood\"", "\"Mood\""),
            ("auth.aal_level", "auth.aal_level"),
        ] {
            assert_eq!(canonical(written), canonical_name, "{written}");
        }
    }
}
