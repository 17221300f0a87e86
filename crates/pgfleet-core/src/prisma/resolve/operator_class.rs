//! Prisma's names of operator classes as PostgreSQL's.

/// `JsonbPathOps` is `jsonb_path_ops`; `None` for a name that Prisma does not know.
pub(super) fn operator_class(name: &str) -> Option<String> {
    let sql = match name {
        "InetOps" => "inet_ops",
        "JsonbOps" => "jsonb_ops",
        "JsonbPathOps" => "jsonb_path_ops",
        "ArrayOps" => "array_ops",
        "TextOps" => "text_ops",
        "BitMinMaxOps" => "bit_minmax_ops",
        "VarBitMinMaxOps" => "varbit_minmax_ops",
        "InetInclusionOps" => "inet_inclusion_ops",
        other => return brin_class(other),
    };
    Some(sql.to_owned())
}

/// BRIN's classes: a type and one of three strategies.
fn brin_class(name: &str) -> Option<String> {
    let strategies = [
        ("MinMaxMultiOps", "minmax_multi_ops"),
        ("MinMaxOps", "minmax_ops"),
        ("BloomOps", "bloom_ops"),
    ];
    let (kind, strategy) = strategies
        .into_iter()
        .find_map(|(suffix, sql)| name.strip_suffix(suffix).map(|kind| (kind, sql)))?;
    let sql = match kind {
        "Bpchar" | "Bytea" | "Date" | "Float4" | "Float8" | "Inet" | "Int2" | "Int4" | "Int8"
        | "Numeric" | "Oid" | "Text" | "Timestamp" | "TimestampTz" | "Time" | "TimeTz" | "Uuid" => {
            kind.to_lowercase()
        }
        _ => return None,
    };
    let has_multi = !matches!(kind, "Bpchar" | "Bytea" | "Text");
    (has_multi || strategy != "minmax_multi_ops").then(|| format!("{sql}_{strategy}"))
}
