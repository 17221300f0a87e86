//! Routines, views, triggers, rules and policies.

use super::dice::Dice;
use super::table_name;

pub(super) fn function(number: u8, dice: &mut Dice) -> Vec<String> {
    let attributes = dice.pick(&[
        "IMMUTABLE",
        "IMMUTABLE",
        "IMMUTABLE STRICT PARALLEL SAFE",
        "IMMUTABLE COST 5",
        "IMMUTABLE SECURITY DEFINER SET search_path TO ''",
    ]);
    let language = dice.percent(60);
    let (head, value) = match number {
        0 => (format!("app.f0({} integer) RETURNS integer", dice.maybe(60, "v")), "$1 + 1"),
        1 => ("app.f1() RETURNS text".to_owned(), "'one'::text"),
        2 => match dice.below(3) {
            0 => ("app.f2(a integer, b integer DEFAULT 5) RETURNS bigint".to_owned(), "a::bigint"),
            1 => ("app.f2(a integer, b integer) RETURNS integer".to_owned(), "a + b"),
            _ => ("app.f2(a app.e0) RETURNS app.d0".to_owned(), "NULL::app.d0"),
        },
        _ => return several(dice),
    };
    let body = match language {
        true => format!("LANGUAGE sql {attributes} AS $f$ SELECT {value} $f$"),
        false => {
            format!("LANGUAGE plpgsql {attributes} AS $f$ BEGIN RETURN {value}; END $f$")
        }
    };
    let standard = dice.percent(20) && language && number == 0 && head.contains("(v");
    let body = if standard { format!("{attributes} RETURN v * 2") } else { body };
    vec![format!("CREATE FUNCTION {head} {body}")]
}

fn several(dice: &mut Dice) -> Vec<String> {
    let sql = dice.pick(&[
        "CREATE FUNCTION app.f3(OUT a integer, OUT b text) LANGUAGE sql AS 'SELECT 1, ''x'''",
        "CREATE FUNCTION app.f3() RETURNS TABLE (x integer, y app.e1) LANGUAGE sql ROWS 5
            AS 'SELECT 1, NULL::app.e1'",
        "CREATE FUNCTION app.f3(VARIADIC a text[]) RETURNS integer LANGUAGE sql
            AS 'SELECT cardinality(a)'",
        "CREATE PROCEDURE app.f3(a integer, INOUT b text DEFAULT 'q') LANGUAGE plpgsql
            AS 'BEGIN b := a::text; END'",
        "CREATE FUNCTION app.f3(x anyelement) RETURNS SETOF anyelement LANGUAGE sql
            AS 'SELECT x'",
        "CREATE FUNCTION app.f3(x app.c0, y app.c1[]) RETURNS app.c0 LANGUAGE sql AS 'SELECT x'",
    ]);
    vec![sql.to_owned()]
}

pub(super) fn trigger_function(number: u8, dice: &mut Dice) -> Vec<String> {
    let body = dice.pick(&["RETURN NEW;", "NEW.c1 := 3; RETURN NEW;", "RETURN NULL;"]);
    vec![format!(
        "CREATE FUNCTION app.tf{number}() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN {body} END $f$"
    )]
}

pub(super) fn aggregate(_: u8, dice: &mut Dice) -> Vec<String> {
    let state =
        dice.pick(&["SFUNC = int4pl, STYPE = integer", "SFUNC = int4larger, STYPE = integer"]);
    let start = dice.maybe(50, ", INITCOND = '0'");
    vec![format!("CREATE AGGREGATE app.agg(integer) ({state}{start})")]
}

pub(super) fn operator(_: u8, dice: &mut Dice) -> Vec<String> {
    let function = dice.pick(&["int4pl", "int4mul"]);
    let more = dice.maybe(50, ", COMMUTATOR = OPERATOR(app.@+)");
    vec![format!(
        "CREATE OPERATOR app.@+ (FUNCTION = {function}, LEFTARG = integer, RIGHTARG = integer{more})"
    )]
}

pub(super) fn cast(_: u8, dice: &mut Dice) -> Vec<String> {
    let context = dice.pick(&["", " AS ASSIGNMENT", " AS IMPLICIT"]);
    vec![format!("CREATE CAST (app.c0 AS app.c1) WITH INOUT{context}")]
}

pub(super) fn view(number: u8, dice: &mut Dice) -> Vec<String> {
    let (one, other) = (any_table(dice), any_table(dice));
    let query = match dice.below(10) {
        0 => format!("SELECT * FROM {one}"),
        1 => format!("SELECT id, c0, c1 FROM {one} WHERE c1 > 3"),
        2 => format!("SELECT a.id, b.c0 FROM {one} a JOIN {other} b ON b.id = a.id"),
        3 => format!("SELECT c1, count(*) AS n FROM {one} GROUP BY c1"),
        4 => format!("SELECT id, c0, c2 FROM {one}"),
        5 => format!("SELECT id, app.f0(c1) AS f FROM {one}"),
        6 => format!("SELECT id, c0 FROM {one} UNION ALL SELECT id, c0 FROM {other}"),
        7 => format!("WITH w AS (SELECT id, c1 FROM {one}) SELECT w.id, w.c1 AS c0 FROM w"),
        8 => format!("SELECT id, row_number() OVER (PARTITION BY c1 ORDER BY id) AS c0 FROM {one}"),
        _ => format!("SELECT a AS whole, a.id, a.c0, a.c1 FROM {one} a"),
    };
    let options =
        dice.pick(&["", "", " WITH (security_barrier = true)", " WITH (security_invoker = true)"]);
    let mut statements = vec![format!("CREATE VIEW app.v{number}{options} AS {query}")];
    if dice.percent(10) {
        statements.push(format!("ALTER VIEW app.v{number} ALTER COLUMN c0 SET DEFAULT 'd'"));
    }
    statements
}

pub(super) fn view_of_view(number: u8, dice: &mut Dice) -> Vec<String> {
    let below = dice.pick(&["app.v0", "app.v1", "app.v2", "app.m0", "app.w0"]);
    let query = dice.pick(&["id, c0", "*", "max(id) AS id"]);
    vec![format!("CREATE VIEW app.w{number} AS SELECT {query} FROM {below}")]
}

pub(super) fn materialized_view(number: u8, dice: &mut Dice) -> Vec<String> {
    let from = match dice.percent(50) {
        true => any_table(dice),
        false => dice.pick(&["app.v0", "app.v3"]),
    };
    let columns = dice.pick(&["id, c0", "id, c0, c1", "*"]);
    let options = dice.maybe(20, " WITH (fillfactor = 50)");
    vec![format!(
        "CREATE MATERIALIZED VIEW app.m{number}{options} AS SELECT {columns} FROM {from} WITH NO DATA"
    )]
}

pub(super) fn view_index(number: u8, dice: &mut Dice) -> Vec<String> {
    let unique = dice.maybe(50, "UNIQUE ");
    let columns = dice.pick(&["id", "c0", "c0, id"]);
    vec![format!("CREATE {unique}INDEX mi{number} ON app.m{number} ({columns})")]
}

pub(super) fn late_function(number: u8, dice: &mut Dice) -> Vec<String> {
    let table = any_table(dice);
    let head = format!("CREATE FUNCTION app.l{number}");
    let sql = match dice.below(7) {
        0 => format!(
            "{head}() RETURNS integer LANGUAGE sql STABLE BEGIN ATOMIC SELECT max(c1) FROM {table}; END"
        ),
        1 => format!("{head}() RETURNS SETOF {table} LANGUAGE sql AS 'SELECT * FROM {table}'"),
        2 => format!("{head}(r {table}) RETURNS text LANGUAGE sql STABLE AS 'SELECT r.c0'"),
        3 => format!(
            "{head}() RETURNS bigint LANGUAGE plpgsql AS 'DECLARE r {table}%ROWTYPE; BEGIN RETURN 1; END'"
        ),
        4 => format!("{head}() RETURNS SETOF app.v0 LANGUAGE sql STABLE AS 'SELECT * FROM app.v0'"),
        5 => format!("{head}() RETURNS integer LANGUAGE sql STABLE RETURN 4"),
        _ => {
            format!("{head}() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM app.v1'")
        }
    };
    vec![sql]
}

pub(super) fn trigger(number: u8, dice: &mut Dice) -> Vec<String> {
    let table = table_name(number % 6);
    let function = dice.pick(&["app.tf0()", "app.tf0()", "app.tf1('a', 'b')"]);
    let name = format!("tr{number}");
    let when = dice.pick(&[
        "BEFORE INSERT",
        "AFTER INSERT OR UPDATE",
        "BEFORE UPDATE OF c1",
        "AFTER DELETE",
        "BEFORE UPDATE OF c2",
        "AFTER TRUNCATE",
    ]);
    let level = match when {
        "AFTER TRUNCATE" => "FOR EACH STATEMENT",
        "AFTER DELETE" => {
            dice.pick(&["REFERENCING OLD TABLE AS gone FOR EACH STATEMENT", "FOR EACH ROW"])
        }
        "BEFORE INSERT" => dice.pick(&["FOR EACH ROW WHEN (NEW.c1 > 0)", "FOR EACH ROW"]),
        _ => "FOR EACH ROW",
    };
    let constraint = if dice.percent(10) { "CONSTRAINT " } else { "" };
    let mut statements = vec![format!(
        "CREATE {constraint}TRIGGER {name} {when} ON {table} {level} EXECUTE FUNCTION {function}"
    )];
    if dice.percent(20) {
        let how = dice.pick(&["DISABLE", "ENABLE ALWAYS", "ENABLE REPLICA"]);
        statements.push(format!("ALTER TABLE {table} {how} TRIGGER {name}"));
    }
    statements
}

pub(super) fn policy(number: u8, dice: &mut Dice) -> Vec<String> {
    let (table, name) = (table_name(number % 6), format!("p{number}"));
    let kind = dice.pick(&["", "", " AS RESTRICTIVE"]);
    let role = dice.pick(&["", " TO schema_reader", " TO schema_reader, \"schema Writer\""]);
    let rule = match dice.below(6) {
        0 => "FOR SELECT TO_ROLE USING (c1 > 0)".to_owned(),
        1 => "FOR INSERT TO_ROLE WITH CHECK (c1 < 9)".to_owned(),
        2 => "FOR UPDATE TO_ROLE USING (id > 0) WITH CHECK (c0 IS NOT NULL)".to_owned(),
        3 => format!("TO_ROLE USING (id IN (SELECT id FROM {}))", any_table(dice)),
        4 => "TO_ROLE USING (app.f0(c1) > 0)".to_owned(),
        _ => "TO_ROLE USING (c0 = CURRENT_USER) WITH CHECK (c2 IS NOT NULL)".to_owned(),
    };
    let rule = rule.replacen(" TO_ROLE", role, 1).replacen("TO_ROLE", role, 1);
    vec![format!("CREATE POLICY {name} ON {table}{kind} {rule}")]
}

pub(super) fn rule(number: u8, dice: &mut Dice) -> Vec<String> {
    let rule = match dice.below(3) {
        0 => format!("ON INSERT TO {} DO INSTEAD NOTHING", any_table(dice)),
        1 => format!(
            "ON UPDATE TO {} WHERE old.c1 <> new.c1 DO ALSO NOTIFY changed",
            any_table(dice)
        ),
        _ => format!(
            "ON DELETE TO app.v1 DO INSTEAD DELETE FROM {} WHERE id = old.id",
            any_table(dice)
        ),
    };
    vec![format!("CREATE RULE ru{number} AS {rule}")]
}

fn any_table(dice: &mut Dice) -> &'static str {
    table_name(u8::try_from(dice.below(6)).unwrap_or_default())
}
