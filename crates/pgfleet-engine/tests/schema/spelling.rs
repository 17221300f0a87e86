//! corpus/spelling: pairs of expressions that mean the same, and pairs that do not.
//!
//! Each side is made in a database of its own; the objects that hold the expressions must be equal to
//! the model, or not.

use std::fs;
use std::path::Path;

use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::compare;
use pgfleet_testkit::schemas::{database_with, read};
use pgfleet_testkit::{Cluster, majors};

const BASE: &str = "CREATE SCHEMA app;
    CREATE TYPE app.pair AS (x int, y int);
    CREATE DOMAIN app.filled AS text DEFAULT 'full';
    CREATE FUNCTION app.btrim(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE TABLE app.t (a int, b bigint, n numeric, s text, v varchar(20), ts timestamptz,
        d timestamp, arr text[], c app.pair, t text, \"T\" text);";

/// A line of a file.
struct Pair {
    place: String,
    sides: [String; 2],
}

fn pairs(file: &str) -> Vec<Pair> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/spelling").join(file);
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let pair = |line: &str| {
        let (place, sides) = line.split_once(": ").unwrap();
        let (one, other) = sides.split_once(" <=>").unwrap();
        Pair { place: place.to_owned(), sides: [one, other.trim()].map(str::to_owned) }
    };
    lines.map(pair).collect()
}

/// The statement that makes an expression part of the schema, in a schema of its own.
fn statement(number: usize, place: &str, expression: &str) -> String {
    let table = format!(
        "CREATE SCHEMA s{number}; CREATE TABLE s{number}.t (LIKE app.t); SET search_path = s{number}, public;"
    );
    let rest = match place.split_once(' ') {
        Some(("default", name)) if expression.is_empty() => format!("ALTER TABLE t ADD x {name}"),
        Some(("default", name)) => format!("ALTER TABLE t ADD x {name} DEFAULT {expression}"),
        _ => match place {
            "check" => format!("ALTER TABLE t ADD CONSTRAINT c CHECK ({expression})"),
            "policy" => format!("CREATE POLICY p ON t USING ({expression})"),
            "index" => format!("CREATE INDEX i ON t (({expression}))"),
            "view" => format!("CREATE VIEW w AS SELECT {expression} AS x FROM t"),
            other => panic!("no place {other}"),
        },
    };
    format!("{table} {rest}; RESET search_path;\n")
}

fn schemas(cluster: &Cluster, pairs: &[Pair]) -> [Schema; 2] {
    let side = |side: usize| {
        let statements = pairs.iter().enumerate();
        let statements = statements.map(|(n, pair)| statement(n, &pair.place, &pair.sides[side]));
        let sql = BASE.to_owned() + &statements.collect::<String>();
        read(&database_with(cluster, &sql).unwrap())
    };
    [side(0), side(1)]
}

/// Lines whose two sides the model takes for the same.
fn equal_lines(cluster: &Cluster, pairs: &[Pair]) -> Vec<bool> {
    let [one, other] = schemas(cluster, pairs);
    let part = |schema: &Schema, number: usize| schema.clone().only(&format!("s{number}"));
    let equal = |number: usize| {
        let (one, other) = (part(&one, number), part(&other, number));
        let equal = compare(&one, &other).is_empty();
        assert_eq!(equal, one.fingerprint() == other.fingerprint(), "the two judges agree");
        equal
    };
    (0..pairs.len()).map(equal).collect()
}

fn check(cluster: &Cluster, file: &str, wanted: bool) {
    let pairs = pairs(file);
    let wrong: Vec<_> = equal_lines(cluster, &pairs)
        .into_iter()
        .zip(&pairs)
        .filter(|(equal, _)| *equal != wanted)
        .map(|(_, pair)| format!("{}: {} <=> {}", pair.place, pair.sides[0], pair.sides[1]))
        .collect();
    assert!(wrong.is_empty(), "{} of {file}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn spellings_of_the_same_are_equal() {
    check(&Cluster::shared(), "equal.txt", true);
}

#[test]
fn different_things_are_never_equal() {
    check(&Cluster::shared(), "different.txt", false);
}

#[test]
fn spellings_are_judged_the_same_on_the_newest_version() {
    let cluster = Cluster::fresh().installation(majors::major(18)).start();
    check(&cluster, "equal.txt", true);
    check(&cluster, "different.txt", false);
}
