//! Types, sequences, collations and text search configurations.

use super::dice::Dice;
use super::table_name;

pub(super) fn collation(_: u8, dice: &mut Dice) -> Vec<String> {
    let how = dice.pick(&[
        "(provider = icu, locale = 'en')",
        "(provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "(locale = 'C')",
    ]);
    vec![format!("CREATE COLLATION app.coll {how}")]
}

pub(super) fn enumeration(number: u8, dice: &mut Dice) -> Vec<String> {
    let mut labels = match dice.percent(60) {
        true => vec!["new", "open", "it's", "Done"],
        false => dice.some(&["new", "open", "it's", "Done", "lost"]),
    };
    if dice.percent(30) {
        let at = usize::try_from(dice.below(labels.len() as u64)).unwrap_or_default();
        labels.insert(at, "between");
    }
    let quoted = labels.iter().map(|label| format!("'{}'", label.replace('\'', "''")));
    let quoted = quoted.collect::<Vec<_>>().join(", ");
    vec![format!("CREATE TYPE app.e{number} AS ENUM ({quoted})")]
}

pub(super) fn domain(number: u8, dice: &mut Dice) -> Vec<String> {
    let (base, default, check) = match dice.below(5) {
        0 => ("integer", "DEFAULT 7", "VALUE > 0"),
        1 => ("numeric(8,2)", "DEFAULT 0", "VALUE >= 0.5"),
        2 => ("app.e0", "", "VALUE IS NOT NULL"),
        3 => ("text[]", "DEFAULT '{}'", "cardinality(VALUE) < 9"),
        _ => ("text", "DEFAULT 'x'", "VALUE <> ''"),
    };
    let default = dice.maybe(50, default);
    let not_null = dice.maybe(20, "NOT NULL");
    let mut sql = format!("CREATE DOMAIN app.d{number} AS {base} {default} {not_null}");
    if dice.percent(60) {
        sql.push_str(&format!(" CONSTRAINT d{number}_check CHECK ({check})"));
    }
    if dice.percent(15) {
        sql.push_str(" CONSTRAINT another CHECK (VALUE IS DISTINCT FROM NULL)");
    }
    let mut statements = vec![sql];
    if dice.percent(10) {
        let (head, rule) = (format!("ALTER DOMAIN app.d{number}"), "CHECK (VALUE IS NOT NULL)");
        statements.push(format!("{head} ADD CONSTRAINT later {rule} NOT VALID"));
    }
    statements
}

pub(super) fn composite(number: u8, dice: &mut Dice) -> Vec<String> {
    let attributes = match dice.percent(50) {
        true => vec!["x integer", "y text COLLATE \"C\"", "\"Z\" numeric(5,1)"],
        false => dice.some(&["x bigint", "y text", "\"Z\" numeric", "e app.e1", "d app.d0"]),
    };
    vec![format!("CREATE TYPE app.c{number} AS ({})", attributes.join(", "))]
}

pub(super) fn range(_: u8, dice: &mut Dice) -> Vec<String> {
    let how = dice.pick(&[
        "subtype = float8, subtype_diff = float8mi",
        "subtype = float8",
        "subtype = text, collation = \"C\"",
        "subtype = integer, multirange_type_name = app.r0s",
    ]);
    vec![format!("CREATE TYPE app.r0 AS RANGE ({how})")]
}

pub(super) fn sequence(number: u8, dice: &mut Dice) -> Vec<String> {
    let type_name = dice.pick(&["bigint", "integer", "smallint"]);
    let (step, start) = (dice.pick(&["1", "5", "-1"]), dice.maybe(30, "START 7"));
    let start = if step == "-1" { "" } else { start };
    let (cycle, cache) = (dice.maybe(20, "CYCLE"), dice.maybe(20, "CACHE 10"));
    let bound = if step == "-1" { "" } else { dice.maybe(20, "MAXVALUE 30000") };
    vec![format!(
        "CREATE SEQUENCE app.s{number} AS {type_name} INCREMENT {step} {bound} {start} {cache} {cycle}"
    )]
}

pub(super) fn sequence_owner(number: u8, dice: &mut Dice) -> Vec<String> {
    let table = table_name([0, 1, 3][usize::try_from(dice.below(3)).unwrap_or_default()]);
    let mut statements =
        vec![format!("ALTER SEQUENCE app.s{number} OWNED BY {table}.{}", dice.pick(&["id", "c0"]))];
    if dice.percent(50) {
        statements
            .push(format!("ALTER TABLE {table} ALTER id SET DEFAULT nextval('app.s{number}')"));
    }
    statements
}

pub(super) fn text_search(_: u8, dice: &mut Dice) -> Vec<String> {
    let mut statements = vec![
        "CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = simple, ACCEPT = false)".to_owned(),
        format!(
            "CREATE TEXT SEARCH CONFIGURATION app.ts (COPY = {})",
            dice.pick(&["simple", "english"])
        ),
    ];
    if dice.percent(50) {
        statements.push(
            "ALTER TEXT SEARCH CONFIGURATION app.ts ALTER MAPPING FOR asciiword, word
                WITH app.dict, simple"
                .to_owned(),
        );
    }
    statements
}
