//! How the values of a column become those of another type.
//!
//! Source: `src/include/catalog/pg_cast.dat` of PostgreSQL 18. What the built-in casts do not cover
//! goes through text, as every type can be read from and written as text; a type that is not known here
//! (of an extension, say) is left to PostgreSQL.

use crate::schema::{Body, Kind, Object, ObjectId, Schema};

/// What a domain is made of in the end; any other type itself.
pub(super) fn base<'s>(schema: &'s Schema, name: &'s str) -> &'s str {
    let domain = pgfleet_sql::parse_qualified(name).and_then(|qualified| {
        let id = ObjectId::new(Kind::Domain, qualified.schema.as_deref()?, &qualified.name);
        match &schema.get(&id)?.body {
            Body::Domain(domain) => Some(domain.base.as_str()),
            _ => None,
        }
    });
    domain.map_or(name, |below| base(schema, below))
}

/// What a type is, as far as casts go.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Class {
    Text,
    Number,
    Boolean,
    Json,
    Bits,
    Network,
    Date,
    Time,
    TimeWithZone,
    Timestamp,
    TimestampWithZone,
    Interval,
    /// Of no other class: it has casts to and from texts alone.
    Alone(String),
    Array(Box<Class>),
}

/// The expression that converts a column, quoted as `name`, between the types of two schemas.
pub(super) fn expression(schemas: [&Schema; 2], name: &str, old: &str, new: &str) -> String {
    match is_castable(schemas, old, new) {
        true => format!("{name}::{new}"),
        false => format!("{name}::text::{new}"),
    }
}

fn is_castable(schemas: [&Schema; 2], old: &str, new: &str) -> bool {
    let declared = ObjectId::new(Kind::Cast, "", &format!("{old} AS {new}"));
    if schemas[1].get(&declared).is_some() {
        return true;
    }
    // A type of one name may be another before and after.
    let [from, to] = schemas;
    match (class([from, to], old), class([to, from], new)) {
        (Some(from), Some(to)) => has_cast(&from, &to, bare(old), bare(new)),
        _ => true,
    }
}

fn has_cast(from: &Class, to: &Class, old: &str, new: &str) -> bool {
    use Class::{
        Array, Bits, Boolean, Date, Interval, Json, Number, Text, Time, TimeWithZone, Timestamp,
        TimestampWithZone,
    };
    match (from, to) {
        (Array(from), Array(to)) => {
            let element = |name: &str| name.trim_end_matches("[]").to_owned();
            has_cast(from, to, &element(old), &element(new))
        }
        (from, to) if from == to => true,
        (Text, _) | (_, Text) => true,
        (Number, Boolean) => old == "integer",
        (Boolean, Number) => new == "integer",
        (Number, Bits) => matches!(old, "integer" | "bigint"),
        (Bits, Number) => matches!(new, "integer" | "bigint"),
        (Json, Number | Boolean) => old == "jsonb",
        (Date, to) => matches!(to, Timestamp | TimestampWithZone),
        (Timestamp, to) => matches!(to, Date | Time | TimestampWithZone),
        (TimestampWithZone, to) => matches!(to, Date | Time | Timestamp | TimeWithZone),
        (Time, to) => matches!(to, Interval | TimeWithZone),
        (TimeWithZone | Interval, to) => *to == Time,
        _ => false,
    }
}

/// The name without its limits: `numeric(10,2)`, `timestamp(3) with time zone`.
fn bare(name: &str) -> &str {
    name.split('(').next().unwrap_or_default().trim_end()
}

fn class<'s>(schemas: [&'s Schema; 2], name: &str) -> Option<Class> {
    if let Some(element) = name.strip_suffix("[]") {
        return Some(Class::Array(Box::new(class(schemas, element)?)));
    }
    if let Some(class) = built_in(name) {
        return Some(class);
    }
    let qualified = pgfleet_sql::parse_qualified(name)?;
    let id = |kind| Some(ObjectId::new(kind, qualified.schema.as_deref()?, &qualified.name));
    let kinds = [Kind::Enum, Kind::Domain, Kind::Composite, Kind::Range];
    let own = |schema: &'s Schema| kinds.into_iter().find_map(|kind| schema.get(&id(kind)?));
    let is_multirange = |object: &Object| match &object.body {
        Body::Range(range) => range.multirange() == Some(name),
        _ => false,
    };
    if schemas.iter().any(|schema| schema.objects.iter().any(is_multirange)) {
        return Some(Class::Alone(name.to_owned()));
    }
    match &schemas.into_iter().find_map(own)?.body {
        Body::Domain(domain) => class(schemas, &domain.base),
        _ => Some(Class::Alone(name.to_owned())),
    }
}

fn built_in(name: &str) -> Option<Class> {
    Some(match bare(name) {
        "text" | "character varying" | "character" | "name" => Class::Text,
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => {
            Class::Number
        }
        "boolean" => Class::Boolean,
        "json" | "jsonb" => Class::Json,
        "bit" | "bit varying" => Class::Bits,
        "inet" | "cidr" => Class::Network,
        "date" => Class::Date,
        "interval" => Class::Interval,
        other if other.starts_with("time") => match (other, name.ends_with("with time zone")) {
            ("time" | "time without time zone", false) => Class::Time,
            ("time" | "time with time zone", true) => Class::TimeWithZone,
            (_, false) => Class::Timestamp,
            (_, true) => Class::TimestampWithZone,
        },
        "uuid" | "bytea" | "tsvector" | "tsquery" | "int4range" | "int8range" | "numrange"
        | "daterange" | "tsrange" | "tstzrange" => Class::Alone(bare(name).to_owned()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(old: &str, new: &str) -> String {
        expression([&Schema::empty(), &Schema::empty()], "c", old, new)
    }

    #[test]
    fn casts_are_used_where_there_are_some_and_text_where_there_are_none() {
        for (old, new) in [
            ("integer", "numeric(10,2)"),
            ("text", "uuid"),
            ("timestamp(3) with time zone", "date"),
            ("time without time zone", "interval"),
            ("jsonb", "integer"),
            ("integer[]", "bigint[]"),
            ("public.geometry", "public.geography"),
        ] {
            assert_eq!(converted(old, new), format!("c::{new}"));
        }
        for (old, new) in [
            ("timestamp with time zone", "interval"),
            ("numeric(10,2)", "integer[]"),
            ("bigint", "boolean"),
            ("json", "integer"),
            ("uuid", "bytea"),
            ("date", "time without time zone"),
        ] {
            assert_eq!(converted(old, new), format!("c::text::{new}"));
        }
    }
}
