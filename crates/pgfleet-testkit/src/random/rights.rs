//! Schemas, privileges, comments, publications and foreign servers.

use super::dice::Dice;
use super::table_name;

pub(super) fn schema(number: u8, _: &mut Dice) -> Vec<String> {
    let name = ["app", "\"Other\"", "extra"][usize::from(number) % 3];
    vec![format!("CREATE SCHEMA {name}")]
}

pub(super) fn default_privileges(number: u8, dice: &mut Dice) -> Vec<String> {
    let schema = ["app", "\"Other\""][usize::from(number) % 2];
    let what = dice.pick(&["SELECT ON TABLES", "EXECUTE ON FUNCTIONS", "USAGE ON SEQUENCES"]);
    vec![format!("ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {what} TO schema_reader")]
}

pub(super) fn foreign_server(_: u8, dice: &mut Dice) -> Vec<String> {
    let options = dice.pick(&["", " OPTIONS (host 'a')", " OPTIONS (host 'b', port '5')"]);
    let mut statements = vec![
        "CREATE FOREIGN DATA WRAPPER random_wrapper".to_owned(),
        format!("CREATE SERVER random_server FOREIGN DATA WRAPPER random_wrapper{options}"),
    ];
    if dice.percent(50) {
        statements.push("CREATE USER MAPPING FOR PUBLIC SERVER random_server".to_owned());
    }
    statements
}

pub(super) fn foreign_table(_: u8, dice: &mut Dice) -> Vec<String> {
    let column = dice.pick(&["x integer", "x bigint OPTIONS (far 'x') NOT NULL", "x app.e0"]);
    let options = dice.maybe(50, " OPTIONS (\"table\" 't')");
    vec![format!(
        "CREATE FOREIGN TABLE app.far (id bigint, {column}) SERVER random_server{options}"
    )]
}

pub(super) fn publication(_: u8, dice: &mut Dice) -> Vec<String> {
    let what = dice.pick(&[
        "",
        "FOR TABLE app.t0",
        "FOR TABLE app.t0 (id, c0), app.t3",
        "FOR TABLE app.t3 WHERE (c1 > 0)",
        "FOR TABLES IN SCHEMA app",
        "FOR ALL TABLES",
    ]);
    let options = dice.maybe(40, " WITH (publish = 'insert, update')");
    vec![format!("CREATE PUBLICATION random_pub {what}{options}")]
}

pub(super) fn grant(_: u8, dice: &mut Dice) -> Vec<String> {
    let table = table_name(u8::try_from(dice.below(6)).unwrap_or_default());
    let role = dice.pick(&["schema_reader", "\"schema Writer\"", "PUBLIC"]);
    let option = if role == "PUBLIC" { "" } else { dice.maybe(20, " WITH GRANT OPTION") };
    let sql = match dice.below(10) {
        0 | 1 => format!("GRANT SELECT, INSERT ON {table} TO {role}{option}"),
        2 => format!("GRANT ALL ON {table} TO {role}"),
        3 => format!("GRANT SELECT (id, c0), UPDATE (c1) ON {table} TO {role}{option}"),
        4 => format!("GRANT USAGE ON SCHEMA app TO {role}{option}"),
        5 => "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA app FROM PUBLIC".to_owned(),
        6 => format!("GRANT USAGE ON SEQUENCE app.s0 TO {role}"),
        7 => format!("GRANT SELECT ON app.v0, app.m0 TO {role}"),
        8 => format!("GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO {role}{option}"),
        _ => "REVOKE USAGE ON TYPE app.e0 FROM PUBLIC".to_owned(),
    };
    vec![sql]
}

pub(super) fn comment(_: u8, dice: &mut Dice) -> Vec<String> {
    let table = table_name(u8::try_from(dice.below(6)).unwrap_or_default());
    let text = dice.pick(&["'a word'", "'it''s another'", "E'two\\nlines'"]);
    let what = match dice.below(12) {
        0 | 1 => format!("TABLE {table}"),
        2 | 3 => format!("COLUMN {table}.{}", dice.pick(&["id", "c0", "c2", "c3"])),
        4 => "TYPE app.e0".to_owned(),
        5 => "DOMAIN app.d0".to_owned(),
        6 => "FUNCTION app.f0(integer)".to_owned(),
        7 => "VIEW app.v0".to_owned(),
        8 => "INDEX app.i0".to_owned(),
        9 => format!("CONSTRAINT u0 ON {}", table_name(0)),
        10 => "MATERIALIZED VIEW app.m0".to_owned(),
        _ => "SCHEMA app".to_owned(),
    };
    vec![format!("COMMENT ON {what} IS {text}")]
}
